import PandoIR
import PandoOperations

/// A training step taken apart: what leads to its loss, in segments on the way from the batch, and what comes after.
///
/// A segment is the work of one layer of the network: parameters whose names begin with the same path up to a number
/// (`blocks.3.norm1.weight`, `blocks.3.mlp.up.weight`) belong together, others by the module that holds them. What the
/// loss does not need, but is made of nothing later than a segment, belongs to that segment too: the slope of an
/// activation, say, which only the gradient wants.
struct StepAnatomy {
  /// Where a node stands.
  enum Place: Equatable {
    /// On the way to the loss, or beside it.
    case early(segment: Int)
    /// After the last segment: gradients and updates.
    case late
    /// Made of inputs only, without anything that leads to the loss.
    case apart
  }

  let graph: Graph
  /// The node that makes each value, by its id; -1 for inputs.
  let producer: [Int]
  let places: [Place]
  /// Whether a node leads to the loss.
  let leadsToLoss: [Bool]
  /// Whether a node costs nothing: it renames bytes, or is made inside the sweep that wants it.
  let isFree: [Bool]
  /// How many segments there are; the last, in which the loss is, is never computed again.
  let segmentCount: Int
  /// For each value, whether something late reads it, maybe through a node that costs nothing.
  let isReadLate: [Bool]
  /// For each value, the last segment that reads it, maybe through a node that costs nothing; -1 where none does.
  let lastReader: [Int]
  /// Whether a value is an output of the graph.
  let isOutput: [Bool]

  /// - Parameter loss: the place of the loss among the outputs.
  init(_ graph: Graph, loss: Int) {
    self.graph = graph
    var producer = [Int](repeating: -1, count: graph.valueCount)
    for (index, node) in graph.nodes.enumerated() {
      for result in node.results { producer[result.id] = index }
    }
    self.producer = producer
    isFree = graph.nodes.map { $0.operation.traits.contains(.alias) || FusionRole($0) == .source }
    let leads = Self.ancestors(of: graph.outputs[loss], graph)
    leadsToLoss = leads
    var isOutput = [Bool](repeating: false, count: graph.valueCount)
    for output in graph.outputs { isOutput[output.id] = true }
    self.isOutput = isOutput

    let (segments, count) = Self.segments(graph, leads)
    segmentCount = count
    var places = segments.map { Place.early(segment: max(0, $0)) }
    for (index, node) in graph.nodes.enumerated() where !leads[index] {
      var level = -1
      for operand in node.operands where producer[operand.id] >= 0 {
        switch places[producer[operand.id]] {
        case .early(let segment): level = max(level, segment)
        case .late: level = count - 1
        case .apart: break
        }
      }
      places[index] = level < 0 ? .apart : level == count - 1 ? .late : .early(segment: level)
    }
    // What is made of inputs only for something early stands with it.
    var firstReader = [Int](repeating: count, count: graph.valueCount)
    for (index, node) in graph.nodes.enumerated().reversed() {
      let first = node.results.map { firstReader[$0.id] }.min() ?? count
      if places[index] == .apart, first < count { places[index] = .early(segment: first) }
      guard case .early(let segment) = places[index] else { continue }
      for operand in node.operands { firstReader[operand.id] = min(firstReader[operand.id], segment) }
    }
    self.places = places

    var isReadLate = [Bool](repeating: false, count: graph.valueCount)
    var lastReader = [Int](repeating: -1, count: graph.valueCount)
    for (index, node) in graph.nodes.enumerated().reversed() {
      for operand in node.operands {
        switch places[index] {
        case .late, .apart: isReadLate[operand.id] = true
        case .early(let segment):
          lastReader[operand.id] = max(lastReader[operand.id], segment)
          guard isFree[index] else { continue }
          if node.results.contains(where: { isReadLate[$0.id] || isOutput[$0.id] }) {
            isReadLate[operand.id] = true
          }
          lastReader[operand.id] = max(
            lastReader[operand.id], node.results.map { lastReader[$0.id] }.max() ?? -1)
        }
      }
    }
    self.isReadLate = isReadLate
    self.lastReader = lastReader
  }

  /// The segment of an early node.
  func segment(_ node: Int) -> Int? {
    if case .early(let segment) = places[node] { segment } else { nil }
  }

  private static func ancestors(of value: Value, _ graph: Graph) -> [Bool] {
    var needed = [Bool](repeating: false, count: graph.valueCount)
    needed[value.id] = true
    var leads = [Bool](repeating: false, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated().reversed()
    where node.results.contains(where: { needed[$0.id] }) {
      leads[index] = true
      for operand in node.operands { needed[operand.id] = true }
    }
    return leads
  }

  /// The segment of each node that leads to the loss (-1 for others), and how many there are.
  private static func segments(_ graph: Graph, _ leads: [Bool]) -> ([Int], Int) {
    var segments = [Int](repeating: -1, count: graph.nodes.count)
    // What a value made of parameters alone belongs to, and which values depend on a batch or on random numbers.
    var modules = [String?](repeating: nil, count: graph.valueCount)
    var isFromBatch = [Bool](repeating: false, count: graph.valueCount)
    for input in graph.inputs {
      modules[input.value.id] = LayerName.module(of: input.name)
      isFromBatch[input.value.id] = modules[input.value.id] == nil
    }
    var (current, count): (String?, Int) = (nil, 0)
    for (index, node) in graph.nodes.enumerated() where leads[index] {
      let own = node.operands.lazy.compactMap { modules[$0.id] }.first
      guard node.operands.contains(where: { isFromBatch[$0.id] }) else {
        for result in node.results { modules[result.id] = own }
        continue
      }
      for result in node.results { isFromBatch[result.id] = true }
      if let own, own != current {
        if current != nil { count += 1 }
        current = own
      }
      segments[index] = count
    }
    // Work on parameters alone stands with the first that uses it.
    var firstReader = [Int](repeating: count, count: graph.valueCount)
    for (index, node) in graph.nodes.enumerated().reversed() where leads[index] {
      if segments[index] < 0 { segments[index] = node.results.map { firstReader[$0.id] }.min() ?? count }
      for operand in node.operands { firstReader[operand.id] = min(firstReader[operand.id], segments[index]) }
    }
    return (segments, count + 1)
  }
}

/// What a parameter's name says of the layer that it belongs to.
package enum LayerName {
  /// `blocks.3` of `blocks.3.norm.weight`, `head` of `head.weight`; `nil` for a name without a dot, which is no
  /// parameter's.
  package static func module(of name: String) -> String? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count > 1 else { return nil }
    let end = parts.firstIndex { Int($0) != nil }.map { $0 + 1 } ?? parts.count - 1
    return parts[..<min(end, parts.count)].joined(separator: ".")
  }
}
