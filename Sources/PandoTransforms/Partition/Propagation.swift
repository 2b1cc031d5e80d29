import PandoIR

/// Carries shardings from annotated values to all others, through the rules of the operations, forward and backward
/// until nothing changes.
///
/// The wishes of samples go first, then those of weights, then those of storage; within a rank of wishes nodes are
/// visited in order, and what was settled stays. Each node ends up with axes for its labels; each value with the cuts
/// under which most of its neighbours want it. (After GSPMD, Xu et al. 2021, and Shardy's factors and priorities.)
struct Propagation {
  let graph: Graph
  let partitioning: Partitioning
  /// For each node its rule.
  let rules: [ShardingRule]
  /// For each node the axes along which each label is cut that its neighbours want cut.
  private var labels: [[Character: [String]]]
  /// For each node the axes along which its neighbours want a label cut that must be whole, and which cut another label
  /// in its place.
  private var moved: [[Character: [String]]]
  /// For each value the cuts that its neighbours want.
  private(set) var homes: [[[String]]]
  /// Values whose cuts are given.
  private var isGiven: [Bool]
  private let mesh: Mesh

  /// - Throws: `TypeError` where an operation's rule does not label every dimension once.
  init(_ graph: Graph, _ partitioning: Partitioning) throws(TypeError) {
    self.graph = graph
    self.partitioning = partitioning
    mesh = partitioning.mesh
    var rules: [ShardingRule] = []
    for node in graph.nodes { rules.append(try Self.rule(node)) }
    self.rules = rules
    labels = Array(repeating: [:], count: graph.nodes.count)
    moved = labels
    homes = Array(repeating: [], count: graph.valueCount)
    isGiven = Array(repeating: false, count: graph.valueCount)
    for input in graph.inputs {
      homes[input.value.id] = Array(repeating: [], count: input.value.type.rank)
      isGiven[input.value.id] = true
    }
    for node in graph.nodes {
      for result in node.results { homes[result.id] = Array(repeating: [], count: result.type.rank) }
    }
  }

  private static func rule(_ node: Node) throws(TypeError) -> ShardingRule {
    let operands = node.operands.map(\.type)
    let rule = node.operation.shardingRule(operands)
    guard rule.operands.map(\.count) == operands.map(\.rank),
      rule.results.map(\.count) == node.results.map(\.type.rank)
    else {
      var error = TypeError(
        node.operation,
        "has the sharding rule \(rule.operands) -> \(rule.results), which does not label each dimension of "
          + "\(operands) -> \(node.results.map(\.type)); mend its shardingRule, with labels in 'whole' for what must "
          + "not be split, or keep what it computes on every rank")
      error.site = node.site
      throw error
    }
    return rule
  }

  /// Follows all wishes down to those of `priority`.
  mutating func run(downTo priority: Placement.Priority) {
    for round in Placement.Priority.allCases where round <= priority {
      for (place, input) in graph.inputs.enumerated() {
        if let placement = partitioning.input(place) {
          homes[input.value.id] = placement.dimensions(downTo: round)
        }
      }
      for (index, node) in graph.nodes.enumerated() {
        if let annotation = node.operation as? any ShardingAnnotation, round >= annotation.priority,
          let sharding = annotation.sharding(in: partitioning)
        {
          extend(node.results[0], sharding.dimensions)
          for (label, axes) in zip(rules[index].results[0], sharding.dimensions) {
            labels[index][label] = axes
          }
          isGiven[node.results[0].id] = true
        }
      }
      for (place, output) in graph.outputs.enumerated() where !isGiven[output.id] {
        if let placement = partitioning.output(place) {
          extend(output, placement.dimensions(downTo: round))
        }
      }
      while sweep(graph.nodes.indices) || sweep(graph.nodes.indices.reversed()) {}
    }
  }

  /// The nodes that cannot be cut as their operands and results are wanted.
  var conflicts: [Int] {
    graph.nodes.indices.filter { index in
      occurrences(index).contains {
        rules[index].whole.contains($0.label)
          && !homes[$0.value.id][$0.dimension].allSatisfy(moved[index][$0.label, default: []].contains)
      }
    }
  }

  /// The axes along which each label of a node is cut.
  func cuts(_ index: Int) -> [Character: [String]] {
    var cuts = labels[index]
    for target in Set(moved[index].keys.compactMap { rules[index].moving[$0] }) {
      cuts[target, default: []] += movedAxes(index, to: target)
    }
    return cuts
  }

  /// The axes that cut a label in place of others which must be whole.
  private func movedAxes(_ index: Int, to target: Character) -> [String] {
    var axes: [String] = []
    for (label, more) in moved[index].sorted(by: { $0.key < $1.key })
    where rules[index].moving[label] == target {
      axes += more.filter { !axes.contains($0) }
    }
    return axes
  }

  private struct Occurrence {
    let label: Character
    let value: Value
    let dimension: Int
  }

  /// Every dimension of every operand and result with its label.
  private func occurrences(_ index: Int) -> [Occurrence] {
    let (node, rule) = (graph.nodes[index], rules[index])
    var found: [Occurrence] = []
    for (value, labels) in zip(node.operands + node.results, rule.operands + rule.results) {
      for (dimension, label) in labels.enumerated() {
        found.append(Occurrence(label: label, value: value, dimension: dimension))
      }
    }
    return found
  }

  private mutating func sweep(_ order: some Sequence<Int>) -> Bool {
    var changed = false
    for index in order {
      let places = occurrences(index)
      for place in places {
        let isWhole = rules[index].whole.contains(place.label)
        if isWhole ? move(index, place, places) : pull(index, place, places) { changed = true }
      }
      for place in places {
        if let axes = labels[index][place.label] ?? moved[index][place.label], push(axes, place) {
          changed = true
        }
      }
    }
    return changed
  }

  /// A label takes over the cuts of a dimension that has it, as far as every dimension of the label divides.
  private mutating func pull(_ index: Int, _ place: Occurrence, _ places: [Occurrence]) -> Bool {
    let wanted = homes[place.value.id][place.dimension]
    var axes = labels[index][place.label] ?? []
    guard wanted.count > axes.count, wanted.starts(with: axes) else { return false }
    let before = axes.count
    let more = movedAxes(index, to: place.label)
    for axis in wanted[axes.count...] {
      guard !labels[index].contains(where: { $0.key != place.label && $0.value.contains(axis) }),
        !moved[index].values.contains(where: { $0.contains(axis) }),
        divides(place.label, by: axes + [axis] + more, places)
      else { break }
      axes.append(axis)
    }
    guard axes.count > before else { return false }
    labels[index][place.label] = axes
    return true
  }

  /// Where a label must be whole, another takes over the cuts of a dimension that has it.
  private mutating func move(_ index: Int, _ place: Occurrence, _ places: [Occurrence]) -> Bool {
    let wanted = homes[place.value.id][place.dimension]
    var axes = moved[index][place.label] ?? []
    guard let target = rules[index].moving[place.label], wanted.count > axes.count, wanted.starts(with: axes)
    else { return false }
    let before = axes.count
    for axis in wanted[axes.count...] {
      let there = movedAxes(index, to: target)
      if !there.contains(axis) {
        guard !labels[index].values.contains(where: { $0.contains(axis) }),
          divides(target, by: (labels[index][target] ?? []) + there + [axis], places)
        else { break }
      }
      axes.append(axis)
      moved[index][place.label] = axes
    }
    return axes.count > before
  }

  /// Whether every dimension of a label divides over these axes.
  private func divides(_ label: Character, by axes: [String], _ places: [Occurrence]) -> Bool {
    let parts = mesh.parts(axes)
    return places.allSatisfy {
      $0.label != label || $0.value.type.shape[$0.dimension].isMultiple(of: parts)
    }
  }

  /// A dimension takes over the cuts of its label.
  private mutating func push(_ axes: [String], _ place: Occurrence) -> Bool {
    guard !isGiven[place.value.id] else { return false }
    return extend(place.value, place.dimension, axes)
  }

  private mutating func extend(_ value: Value, _ dimensions: [[String]]) {
    for (dimension, axes) in dimensions.enumerated() { _ = extend(value, dimension, axes) }
  }

  private mutating func extend(_ value: Value, _ dimension: Int, _ axes: [String]) -> Bool {
    let home = homes[value.id]
    guard axes.count > home[dimension].count, axes.starts(with: home[dimension]) else { return false }
    let others = home.indices.filter { $0 != dimension }.flatMap { home[$0] }
    let added = axes[home[dimension].count...].prefix { !others.contains($0) }
    homes[value.id][dimension] += added
    return !added.isEmpty
  }
}
