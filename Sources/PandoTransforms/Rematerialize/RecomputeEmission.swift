import PandoIR
import PandoOperations

/// Writes a step down again with some of its work done twice.
///
/// What is done again stands right before the first gradient that wants it, behind barriers that wait for what that
/// gradient is made of.
struct RecomputeEmission {
  private let anatomy: StepAnatomy
  private let choice: RecomputeChoice
  private var builder = GraphBuilder()
  /// What stands for each of the old values.
  private var values: [Value?]
  /// What stands for it where it is made again.
  private var again: [Value?]
  /// For each node done again, the first of those with which it must be done together.
  private var parts: [Int: Int] = [:]
  private var members: [Int: [Int]] = [:]
  private var position: [Int]

  init(_ anatomy: StepAnatomy, _ choice: RecomputeChoice) {
    self.anatomy = anatomy
    self.choice = choice
    let graph = anatomy.graph
    values = [Value?](repeating: nil, count: graph.valueCount)
    again = values
    position = [Int](repeating: 0, count: graph.nodes.count)
    for input in graph.inputs { values[input.value.id] = builder.input(input.name, input.value.type) }
    findParts()
  }

  /// The new graph.
  mutating func graph() throws -> Graph {
    let order = anatomy.lateOrder()
    let graph = anatomy.graph
    for (place, index) in order.enumerated() { position[index] = place }
    for index in order {
      let node = graph.nodes[index]
      guard anatomy.segment(index) == nil else {
        let results = try emit(node, node.operands.map { values[$0.id]! })
        for (old, new) in zip(node.results, results) { values[old.id] = new }
        continue
      }
      for part in partsRead(node) { try emitPart(part, before: node) }
      var operands: [Value] = []
      for operand in node.operands { operands.append(try lateValue(operand)) }
      for (old, new) in zip(node.results, try emit(node, operands)) { values[old.id] = new }
    }
    var outputs: [Value] = []
    for output in graph.outputs { outputs.append(values[output.id]!) }
    builder.setOutputs(outputs)
    return try EliminateDeadCode().apply(builder.graph)
  }

  private mutating func emit(_ node: Node, _ operands: [Value]) throws -> [Value] {
    builder.site = node.site
    return try builder.emit(node.operation, operands: operands)
  }

  private mutating func emitAgain(_ node: Node, _ operands: [Value]) throws {
    for (old, new) in zip(node.results, try emit(node, operands)) { again[old.id] = new }
  }

  /// Nodes done again form parts that hang together; each part is done when the first of its results is wanted.
  private mutating func findParts() {
    let nodes = choice.nodes.sorted()
    func root(_ node: Int) -> Int {
      var node = node
      while let next = parts[node], next != node { node = next }
      return node
    }
    for node in nodes { parts[node] = node }
    for node in nodes {
      for source in sources(of: node) {
        let (a, b) = (root(source), root(node))
        if a != b { parts[max(a, b)] = min(a, b) }
      }
    }
    for node in nodes {
      let part = root(node)
      parts[node] = part
      members[part, default: []].append(node)
    }
  }

  /// The nodes done again that a node reads, maybe through nodes that cost nothing.
  private func sources(of index: Int) -> [Int] {
    var found: [Int] = []
    var stack = anatomy.graph.nodes[index].operands.map { anatomy.producer[$0.id] }
    while let source = stack.popLast() {
      guard source >= 0, anatomy.segment(source) != nil else { continue }
      if choice.nodes.contains(source) {
        found.append(source)
      } else if anatomy.isFree[source] {
        stack += anatomy.graph.nodes[source].operands.map { anatomy.producer[$0.id] }
      }
    }
    return found
  }

  /// Whether a value must be made again for something late to have it.
  private func isMadeAgain(_ value: Value) -> Bool {
    let source = anatomy.producer[value.id]
    guard source >= 0, anatomy.segment(source) != nil else { return false }
    if choice.dropped.contains(value.id) { return true }
    return anatomy.isFree[source] && anatomy.graph.nodes[source].operands.contains { isMadeAgain($0) }
  }

  /// The parts that a late node reads.
  private func partsRead(_ node: Node) -> [Int] {
    var found: Set<Int> = []
    var stack = node.operands
    while let value = stack.popLast() {
      let source = anatomy.producer[value.id]
      guard source >= 0, anatomy.segment(source) != nil else { continue }
      if choice.dropped.contains(value.id) {
        found.insert(parts[source]!)
      } else if anatomy.isFree[source] {
        stack += anatomy.graph.nodes[source].operands
      }
    }
    return found.sorted()
  }

  private mutating func lateValue(_ value: Value) throws -> Value {
    guard isMadeAgain(value) else { return values[value.id]! }
    if let made = again[value.id] { return made }
    let node = anatomy.graph.nodes[anatomy.producer[value.id]]
    var operands: [Value] = []
    for operand in node.operands { operands.append(try lateValue(operand)) }
    try emitAgain(node, operands)
    return again[value.id]!
  }

  private mutating func emitPart(_ part: Int, before reader: Node) throws {
    guard let nodes = members.removeValue(forKey: part) else { return }
    let trigger = trigger(of: reader).flatMap { values[$0.id] }
    var behind: [Int: Value] = [:]
    for index in nodes {
      let node = anatomy.graph.nodes[index]
      var operands: [Value] = []
      for operand in node.operands { operands.append(try value(operand, after: trigger, known: &behind)) }
      try emitAgain(node, operands)
    }
  }

  /// An operand of something done again: made again too, or kept, and then not used before `trigger` exists.
  private mutating func value(_ old: Value, after trigger: Value?, known: inout [Int: Value]) throws -> Value
  {
    if let made = known[old.id] { return made }
    let source = anatomy.producer[old.id]
    if source >= 0, choice.nodes.contains(source) { return again[old.id]! }
    var made = values[old.id]!
    if source >= 0, anatomy.isFree[source] {
      let node = anatomy.graph.nodes[source]
      var operands: [Value] = []
      for operand in node.operands { operands.append(try value(operand, after: trigger, known: &known)) }
      if !operands.isEmpty { made = try emit(node, operands)[0] }
    } else if let trigger {
      made = try builder.emit(Barrier(), made, trigger)
    }
    known[old.id] = made
    return made
  }

  /// A late value that a late node is made of: the last such that no sweep makes, so that nothing that could be done
  /// in one sweep is torn apart.
  private func trigger(of reader: Node) -> Value? {
    func latest(_ node: Node) -> Value? {
      node.operands.filter {
        anatomy.producer[$0.id] >= 0 && anatomy.places[anatomy.producer[$0.id]] == .late
      }
      .max { position[anatomy.producer[$0.id]] < position[anatomy.producer[$1.id]] }
    }
    let first = latest(reader)
    var trigger = first
    while let value = trigger {
      let node = anatomy.graph.nodes[anatomy.producer[value.id]]
      if FusionRole(node) == .none { return value }
      trigger = latest(node)
    }
    return first
  }
}

extension StepAnatomy {
  /// The nodes in an order in which the gradients of later segments come first, and what only they want right before
  /// them.
  func lateOrder() -> [Int] {
    // How far back towards the batch each late node has come.
    var stages = [Int](repeating: 0, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() where places[index] == .late {
      for operand in node.operands where producer[operand.id] >= 0 {
        let source = producer[operand.id]
        switch places[source] {
        case .late: stages[index] = max(stages[index], stages[source])
        case .early(let segment): stages[index] = max(stages[index], segmentCount - 1 - segment)
        case .apart: break
        }
      }
    }
    var firstReader = [Int](repeating: segmentCount, count: graph.valueCount)
    for (index, node) in graph.nodes.enumerated().reversed() {
      if places[index] == .apart { stages[index] = node.results.map { firstReader[$0.id] }.min() ?? 0 }
      guard segment(index) == nil else { continue }
      for operand in node.operands { firstReader[operand.id] = min(firstReader[operand.id], stages[index]) }
    }
    let early = graph.nodes.indices.filter { segment($0) != nil }
    let late = graph.nodes.indices.filter { segment($0) == nil }
    return early + late.sorted { (stages[$0], $0) < (stages[$1], $1) }
  }
}
