import PandoIR
import PandoOperations

/// Writes down one rank's program for a graph whose nodes know how they are cut.
struct PartWriter {
  private let graph: Graph
  private let partitioning: Partitioning
  private let mesh: Mesh
  private let propagation: Propagation
  private let useCounts: [Int]
  private let names: ExchangeNames
  private var builder = GraphBuilder()
  /// What there is of each value on a rank, in the order in which it was made.
  private var versions: [[Version]]
  /// How often a value has been gathered that is not kept whole.
  private var gatherings: [Int: Int] = [:]

  private struct Version {
    let sharding: Sharding
    let value: Value
  }

  init(_ propagation: Propagation) {
    self.propagation = propagation
    graph = propagation.graph
    partitioning = propagation.partitioning
    mesh = partitioning.mesh
    useCounts = graph.useCounts
    names = ExchangeNames(graph, partitioning)
    versions = Array(repeating: [], count: graph.valueCount)
  }

  mutating func write() throws -> Graph {
    try writeNodes()
    var outputs: [Value] = []
    for (place, output) in graph.outputs.enumerated() {
      let sharding = partitioning.output(place)?.sharding ?? .replicated(output.type.rank)
      outputs.append(try version(of: output, sharding))
    }
    builder.setOutputs(outputs)
    return builder.graph
  }

  /// For each output the axes along which ranks hold terms of it as it is made.
  mutating func outputTerms() throws -> [[String]] {
    try writeNodes()
    return graph.outputs.map { output in
      let sharding = versions[output.id][0].sharding
      return sharding.reduction == .sum ? sharding.partial : []
    }
  }

  private mutating func writeNodes() throws {
    for (place, input) in graph.inputs.enumerated() {
      let sharding = partitioning.input(place)?.sharding ?? .replicated(input.value.type.rank)
      let type = try sharding.localType(of: input.value.type, on: mesh, name: input.name)
      versions[input.value.id] = [Version(sharding: sharding, value: builder.input(input.name, type))]
    }
    for index in graph.nodes.indices { try write(index) }
  }

  private mutating func write(_ index: Int) throws {
    let (node, rule, labels) = (graph.nodes[index], propagation.rules[index], propagation.cuts(index))
    builder.site = node.site
    func cuts(_ text: String) -> [[String]] { text.map { labels[$0] ?? [] } }
    let kept = keptTerms(index)
    var operands: [Value] = []
    for (place, operand) in node.operands.enumerated() {
      let terms = kept.filter { $0.operands.contains(place) }.map(\.axis)
      operands.append(try version(of: operand, Sharding(cuts(rule.operands[place]), partial: terms)))
    }

    let summed = Set(rule.operands.joined())
    var shardings: [Sharding] = []
    var types: [TensorType] = []
    for (text, result) in zip(rule.results, node.results) {
      // A label that this result lacks was summed over on each rank's part.
      let lost = summed.subtracting(text).sorted().flatMap { labels[$0] ?? [] }
      let partial = mesh.axes.map(\.name).filter { axis in
        lost.contains(axis) || kept.contains { $0.axis == axis }
      }
      let sharding = Sharding(cuts(text), partial: partial, reduction: lost.isEmpty ? .sum : rule.reduction)
      shardings.append(sharding)
      types.append(try sharding.localType(of: result.type, on: mesh))
    }
    let division = NodeDivision(
      mesh: mesh, resultAxes: rule.results.map(cuts), operands: node.operands.map(\.type),
      results: node.results.map(\.type), localResults: types)
    let results: [Value]
    if let localizable = node.operation as? any Localizable {
      results = try localizable.localized(division, operands: operands, in: &builder)
    } else {
      results = try builder.emit(node.operation, operands: operands)
    }
    guard results.map(\.type) == types else {
      throw TypeError(
        node.operation,
        "gives \(results.map(\.type)) on a part, where \(types) were expected: its attributes hold sizes of the "
          + "whole, so it must say how a part is made (Localizable)")
    }
    for (place, result) in node.results.enumerated() {
      versions[result.id] = [Version(sharding: shardings[place], value: results[place])]
    }
  }

  // MARK: Terms

  private struct KeptTerm {
    let axis: String
    let operands: Set<Int>
  }

  /// The axes along which operands may stay terms: the node is linear in them and its results are not larger than they
  /// are, so that adding up later costs no more.
  private func keptTerms(_ index: Int) -> [KeptTerm] {
    let (node, rule) = (graph.nodes[index], propagation.rules[index])
    guard !rule.linear.isEmpty else { return [] }
    let used = Set(propagation.cuts(index).values.flatMap { $0 })
    guard rule.reduction == .sum || used.isEmpty else { return [] }
    var byAxis: [String: Set<Int>] = [:]
    for (place, operand) in node.operands.enumerated() {
      for axis in openTerms(operand) { byAxis[axis, default: []].insert(place) }
    }
    let resultBytes = node.results.reduce(0) { $0 + $1.type.byteCount }
    return mesh.axes.map(\.name).compactMap { axis in
      guard let places = byAxis[axis], !used.contains(axis), rule.linear.contains(places) else { return nil }
      let bytes = places.reduce(0) { $0 + node.operands[$1].type.byteCount }
      return resultBytes <= bytes ? KeptTerm(axis: axis, operands: places) : nil
    }
  }

  /// The axes along which a value exists as terms of a sum only. One that several nodes use is added up once, for all.
  private func openTerms(_ value: Value) -> [String] {
    guard useCounts[value.id] == 1, versions[value.id].count == 1 else { return [] }
    let sharding = versions[value.id][0].sharding
    return sharding.reduction == .sum ? sharding.partial : []
  }

  // MARK: Versions

  /// A value spread as `sharding` says, from whatever there is of it by the cheapest exchanges.
  private mutating func version(of value: Value, _ sharding: Sharding) throws -> Value {
    var best: (version: Version, plan: ReshardPlan, cost: Int)?
    for version in versions[value.id] {
      if version.sharding == sharding { return version.value }
      guard let plan = ReshardPlan(from: version.sharding, to: sharding, on: mesh) else { continue }
      let cost = plan.sentBytes(value.type, from: version.sharding)
      if best.map({ (cost, plan.steps.count) < ($0.cost, $0.plan.steps.count) }) ?? true {
        best = (version, plan, cost)
      }
    }
    guard let best else { preconditionFailure("%\(value.id) cannot become \(sharding)") }
    var (current, reduction) = (best.version.value, best.version.sharding.reduction)
    for (step, result) in best.plan.steps {
      var occurrence = 0
      let isGathering = if case .allGather = step { true } else { false }
      let isRepeated = isGathering && names.isGatheredAnew(value)
      if isRepeated {
        occurrence = gatherings[value.id, default: 0]
        gatherings[value.id] = occurrence + 1
      }
      let operation = step.operation(
        mesh, reduction, label: names.name(of: value, isReduction: !isGathering), occurrence: occurrence)
      current = try builder.emit(operation, operands: [current])[0]
      if result.partial.isEmpty { reduction = .sum }
      if !isRepeated { versions[value.id].append(Version(sharding: result, value: current)) }
    }
    return current
  }
}
