import PandoIR

/// Ways of computing again, each with less to keep than the one before and more to do: what a memory budget chooses
/// from.
///
/// The first keeps everything. Then, value by value, what costs the least time for each byte it frees is dropped, until
/// only what goes from layer to layer is left; then layers are put into ever larger groups. Which ways there are does
/// not depend on a budget, so a smaller budget never leads to less work.
public struct RecomputeLadder: Sendable {
  private struct Rung: Sendable {
    let groups: [Int]
    /// How many of `steps` are taken; `nil` drops all that does not go from group to group.
    let steps: Int?
    let seconds: Double
  }

  /// Values dropped together, with the time that computing them again takes.
  private struct Step {
    let segment: Int
    var values: [Int]
    var nodes: Set<Int>
    var seconds: Double
    var bytes: Int
    var rate: Double { seconds / Double(max(1, bytes)) }
  }

  private let anatomy: StepAnatomy
  private let steps: [(values: [Int], nodes: Set<Int>)]
  private let rungs: [Rung]

  /// How many ways there are; number 0 keeps everything.
  public var count: Int { rungs.count }
  /// The number of the way that keeps what goes from layer to layer.
  public var blocks: Int { steps.count }

  /// - Parameters:
  ///   - graph: a training step, simplified.
  ///   - loss: the place of its loss among its outputs.
  ///   - seconds: about how long a node takes.
  public init(_ graph: Graph, loss: Int, seconds: (Node) -> Double) {
    let anatomy = StepAnatomy(graph, loss: loss)
    self.anatomy = anatomy
    // What only gradients want costs nothing: it is done later, not again.
    let costs = graph.nodes.indices.map { index in
      anatomy.leadsToLoss[index] && !anatomy.isFree[index] ? seconds(graph.nodes[index]) : 0
    }
    let singles = Array(0..<anatomy.segmentCount)
    let ordered = Self.steps(anatomy, costs, singles)
    steps = ordered.map { ($0.values, $0.nodes) }
    var total = 0.0
    var rungs = [Rung(groups: singles, steps: 0, seconds: 0)]
    for (index, step) in ordered.enumerated() {
      total += step.seconds
      rungs.append(Rung(groups: singles, steps: index + 1, seconds: total))
    }
    rungs += Self.groupings(anatomy, costs, above: total)
    self.rungs = rungs
  }

  /// About how much longer a step takes than without.
  public func extraSeconds(_ rung: Int) -> Double { rungs[rung].seconds }

  /// The step as number `rung` says.
  public func graph(_ rung: Int) throws -> Graph {
    let chosen = choice(rungs[rung])
    guard !chosen.dropped.isEmpty else { return anatomy.graph }
    var emission = RecomputeEmission(anatomy, chosen)
    return try emission.graph()
  }

  private func choice(_ rung: Rung) -> RecomputeChoice {
    guard let count = rung.steps else { return anatomy.choice(groups: rung.groups) }
    var choice = RecomputeChoice()
    for step in steps[..<count] {
      choice.dropped.formUnion(step.values)
      choice.nodes.formUnion(step.nodes)
    }
    return choice
  }

  /// Larger and larger groups of layers, as long as that frees memory.
  private static func groupings(_ anatomy: StepAnatomy, _ costs: [Double], above least: Double) -> [Rung] {
    let segments = anatomy.segmentCount - 1
    guard segments > 3 else { return [] }
    var rungs: [Rung] = []
    var bytes = anatomy.estimatedBytes(anatomy.groups(segments))
    var seconds = least
    var size = 2.0
    while true {
      let count = Int((Double(segments) / size).rounded(.up))
      let groups = anatomy.groups(count)
      let estimate = anatomy.estimatedBytes(groups)
      guard count > 1, estimate < bytes else { return rungs }
      bytes = estimate
      seconds = max(seconds, anatomy.choice(groups: groups).nodes.reduce(0) { $0 + costs[$1] })
      rungs.append(Rung(groups: groups, steps: nil, seconds: seconds))
      size = max(size * 1.3, size + 1).rounded()
    }
  }

  /// What is dropped one after another, cheapest first; among equals, what stands first in the network.
  private static func steps(_ anatomy: StepAnatomy, _ costs: [Double], _ groups: [Int]) -> [Step] {
    let kept = anatomy.kept
    let largest = kept.map(\.type.byteCount).max() ?? 0
    var bySegment: [Int: [Value]] = [:]
    for value in kept
    where !anatomy.isBoundary(value, groups) && anatomy.isWorthDropping(value, largest: largest) {
      bySegment[anatomy.segment(anatomy.producer[value.id])!, default: []].append(value)
    }
    var all: [Step] = []
    for segment in bySegment.keys.sorted() {
      all += merged(steps(of: segment, bySegment[segment]!, anatomy, costs, groups))
    }
    return all.enumerated().sorted {
      ($0.element.rate, $0.element.segment, $0.offset) < ($1.element.rate, $1.element.segment, $1.offset)
    }.map(\.element)
  }

  private static func steps(
    of segment: Int, _ candidates: [Value], _ anatomy: StepAnatomy, _ costs: [Double], _ groups: [Int]
  ) -> [Step] {
    var left = candidates
    var dropped: Set<Int> = []
    var nodes: Set<Int> = []
    var steps: [Step] = []
    while !left.isEmpty {
      var best: Step?
      for value in left {
        let added = anatomy.nodesNeeded(
          for: [value], dropped: dropped.union([value.id]), groups: groups, beside: nodes)
        // Whatever else those nodes make comes with it.
        let values = left.filter {
          $0 == value || added.contains(anatomy.producer[$0.id]) || nodes.contains(anatomy.producer[$0.id])
        }
        let step = Step(
          segment: segment, values: values.map(\.id), nodes: added,
          seconds: added.sorted().reduce(0) { $0 + costs[$1] },
          bytes: values.reduce(0) { $0 + $1.type.byteCount })
        if best == nil || step.rate < best!.rate { best = step }
      }
      guard let best else { break }
      dropped.formUnion(best.values)
      nodes.formUnion(best.nodes)
      left.removeAll { best.values.contains($0.id) }
      steps.append(best)
    }
    return steps
  }

  /// Steps of which each is dearer by the byte than the one before: a cheaper one is taken together with what it needs.
  private static func merged(_ steps: [Step]) -> [Step] {
    var result: [Step] = []
    for step in steps {
      var step = step
      while let last = result.last, last.rate >= step.rate {
        step.values = last.values + step.values
        step.nodes.formUnion(last.nodes)
        step.seconds += last.seconds
        step.bytes += last.bytes
        result.removeLast()
      }
      result.append(step)
    }
    return result
  }
}
