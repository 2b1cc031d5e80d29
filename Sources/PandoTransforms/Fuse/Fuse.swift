import PandoIR
import PandoOperations

/// Gathers elementwise work into `Fusion`s, each one sweep over memory.
///
/// A node joins the group of a producer or of a node that shares an operand's group where both have one shape and no
/// path leads from the group to the node through anything outside it. Broadcasts and generators cost nothing inside a
/// sweep, so each group has copies of its own.
public struct Fuse: Pass {
  public let name = "fuse"

  /// The most operands of one fusion.
  static let maximumOperands = 40
  /// The most nodes of one fusion; each has one result.
  static let maximumNodes = 100

  private let merge: Bool

  /// - Parameter merge: `false` makes a fusion of every elementwise node by itself, for tracing.
  public init(merge: Bool = true) { self.merge = merge }

  public func apply(_ graph: Graph) throws -> Graph {
    var grouping = Grouping(graph)
    grouping.group(merge: merge)
    return try grouping.rebuilt()
  }
}

/// Whether a node is work that a sweep does, or can be made inside one at no cost.
enum FusionRole {
  /// Computes element for element.
  case elementwise
  /// Repeats an operand or makes numbers from nothing: copied into each group that wants it.
  case source
  /// Anything else.
  case none

  init(_ node: Node) {
    switch node.operation {
    case is Broadcast: self = .source
    case let constant as Constant: self = constant.type.shape.isEmpty ? .source : .none
    default:
      let traits = node.operation.traits
      if traits.contains(.generator) && node.operands.isEmpty {
        self = .source
        return
      }
      let isRandom = traits.contains(.random) && node.results.count == 1
      self = traits.contains(.elementwise) || isRandom ? .elementwise : .none
    }
  }
}

/// Nodes put into groups; the graph of groups has no cycle.
struct Grouping {
  private let graph: Graph
  private let producers: [Int: Int]
  private let roles: [FusionRole]
  private var users: [[Int]]
  private var isOutput: [Bool]
  private var groups: [[Int]] = []
  private var groupOf: [Int?]
  /// The search that last came by each node.
  private var visited: [Int]
  private var search = 0

  init(_ graph: Graph) {
    self.graph = graph
    producers = graph.producers
    users = [[Int]](repeating: [], count: graph.valueCount)
    for (index, node) in graph.nodes.enumerated() {
      for operand in node.operands { users[operand.id].append(index) }
    }
    isOutput = [Bool](repeating: false, count: graph.valueCount)
    for output in graph.outputs { isOutput[output.id] = true }
    roles = graph.nodes.map { FusionRole($0) }
    groupOf = [Int?](repeating: nil, count: graph.nodes.count)
    visited = [Int](repeating: 0, count: graph.nodes.count)
  }

  mutating func group(merge: Bool) {
    for (index, node) in graph.nodes.enumerated() where roles[index] == .elementwise {
      let shape = node.results[0].type.shape
      var joined = false
      if merge {
        for candidate in neighbours(node) {
          guard fits(index, shape, candidate) else { continue }
          groups[candidate].append(index)
          groupOf[index] = candidate
          joined = true
          break
        }
      }
      if !joined {
        groupOf[index] = groups.count
        groups.append([index])
      }
    }
    if merge { mergeGroups() }
  }

  /// Groups that make an operand, the latest first: a later group is less likely to be reached from elsewhere.
  private func neighbours(_ node: Node) -> [Int] {
    var found: [Int] = []
    for operand in node.operands {
      guard let producer = producers[operand.id], let group = groupOf[producer], !found.contains(group) else {
        continue
      }
      found.append(group)
    }
    return found.sorted(by: >)
  }

  private mutating func fits(_ index: Int, _ shape: [Int], _ group: Int) -> Bool {
    let members = groups[group]
    guard graph.nodes[members[0]].results[0].type.shape == shape, members.count < Fuse.maximumNodes else {
      return false
    }
    guard operandsFit(members + [index]) else { return false }
    return !reaches(from: graph.nodes[index].operands, to: group)
  }

  /// Joins a group with a group of its operands where every rule allows it: what two producers of one node computed
  /// apart becomes one sweep.
  private mutating func mergeGroups() {
    for group in groups.indices where !groups[group].isEmpty {
      let shape = graph.nodes[groups[group][0]].results[0].type.shape
      var producersOfGroup: [Int] = []
      for member in groups[group] {
        for other in neighbours(graph.nodes[member]) where other != group && !producersOfGroup.contains(other)
        {
          producersOfGroup.append(other)
        }
      }
      for other in producersOfGroup.sorted(by: >) {
        let members = (groups[other] + groups[group]).sorted()
        guard !groups[other].isEmpty, graph.nodes[groups[other][0]].results[0].type.shape == shape,
          members.count <= Fuse.maximumNodes, operandsFit(members)
        else { continue }
        let outside = groups[group].flatMap { graph.nodes[$0].operands }.filter { operand in
          guard let producer = producers[operand.id] else { return false }
          return groupOf[producer] != group && groupOf[producer] != other
        }
        guard !reaches(from: outside, to: other), !reaches(from: outside, to: group) else { continue }
        for member in groups[other] { groupOf[member] = group }
        groups[group] = members
        groups[other] = []
      }
    }
  }

  /// Whether a path leads from a group to any of `values` through something outside it. Direct results of the group
  /// do not count.
  private mutating func reaches(from values: [Value], to group: Int) -> Bool {
    search += 1
    var stack: [Int] = []
    for value in values {
      guard let producer = producers[value.id], groupOf[producer] != group else { continue }
      visit(producer, &stack)
    }
    while let node = stack.popLast() {
      if groupOf[node] == group { return true }
      guard let other = groupOf[node] else {
        for operand in graph.nodes[node].operands {
          if let next = producers[operand.id] { visit(next, &stack) }
        }
        continue
      }
      // A whole group runs at once, so it waits for the operands of all its members.
      for member in groups[other] {
        visited[member] = search
        for operand in graph.nodes[member].operands {
          if let next = producers[operand.id] { visit(next, &stack) }
        }
      }
    }
    return false
  }

  private mutating func visit(_ node: Int, _ stack: inout [Int]) {
    guard visited[node] != search else { return }
    visited[node] = search
    stack.append(node)
  }

  /// Whether a group of nodes needs few enough values from elsewhere. (It cannot have more results than members.)
  private func operandsFit(_ members: [Int]) -> Bool {
    let inside = Set(members)
    var operands: Set<Int> = []
    for member in members {
      for operand in graph.nodes[member].operands {
        if let producer = producers[operand.id], inside.contains(producer) { continue }
        operands.insert(operand.id)
      }
    }
    return operands.count <= Fuse.maximumOperands
  }

  /// The graph with a fusion in place of each group, in an order that their edges allow.
  func rebuilt() throws -> Graph {
    var rewriter = Rewriter(graph)
    let needed = neededValues()
    var done = [Bool](repeating: false, count: graph.nodes.count)
    // Depth first from the outputs would change the order; going through the nodes keeps it where edges allow.
    func emit(_ index: Int) throws {
      guard !done[index] else { return }
      if roles[index] == .source && !needed[index] { return }
      if let group = groupOf[index] {
        let members = groups[group].sorted()
        for member in members { done[member] = true }
        let inside = Set(members)
        for member in members {
          for operand in graph.nodes[member].operands { try emitProducer(operand, inside) }
        }
        try emitFusion(members, &rewriter)
      } else {
        done[index] = true
        for operand in graph.nodes[index].operands { try emitProducer(operand, []) }
        try emitNode(graph.nodes[index], &rewriter)
      }
    }
    func emitProducer(_ value: Value, _ inside: Set<Int>) throws {
      guard let producer = producers[value.id], !inside.contains(producer) else { return }
      if roles[producer] == .source && !inside.isEmpty {
        for operand in graph.nodes[producer].operands { try emitProducer(operand, inside) }
        if needed[producer] { try emit(producer) }
      } else {
        try emit(producer)
      }
    }
    for index in graph.nodes.indices { try emit(index) }
    return rewriter.finish()
  }

  /// For each node, whether something that is not a fusion uses a result, so that a source must exist in memory.
  private func neededValues() -> [Bool] {
    var needed = [Bool](repeating: false, count: graph.nodes.count)
    for output in graph.outputs { if let producer = producers[output.id] { needed[producer] = true } }
    // Backwards, because a source that is needed needs its own operand.
    for (index, node) in graph.nodes.enumerated().reversed() {
      if groupOf[index] != nil || (roles[index] == .source && !needed[index]) { continue }
      for operand in node.operands { if let producer = producers[operand.id] { needed[producer] = true } }
    }
    return needed
  }

  /// Whether a node only widens elements: a sweep that wants them reads what they are widened from, and widens again.
  private func isWidening(_ index: Int) -> Bool {
    let node = graph.nodes[index]
    return node.operation is Convert && groupOf[index] != nil
      && node.operands[0].type.dtype.byteCount < node.results[0].type.dtype.byteCount
  }

  /// Whether a value of a group is wanted in memory by something outside it.
  private func isWanted(_ value: Value, outside inside: Set<Int>) -> Bool {
    if isOutput[value.id] { return true }
    let widens = producers[value.id].map(isWidening) ?? false
    return users[value.id].contains { user in
      inside.contains(user)
        ? isWidening(user)
          && users[graph.nodes[user].results[0].id].contains { !inside.contains($0) && groupOf[$0] != nil }
        : !(widens && groupOf[user] != nil)
    }
  }

  /// A node outside all groups; a source that is needed in memory becomes a fusion of its own.
  private func emitNode(_ node: Node, _ rewriter: inout Rewriter) throws {
    guard FusionRole(node) == .source else { return try rewriter.copy(node) }
    var body = GraphBuilder()
    let inputs = node.operands.enumerated().map { body.input("\($0.offset)", $0.element.type) }
    body.setOutputs(try body.emit(node.operation, operands: inputs))
    let fusion = Fusion(body: body.graph, shape: node.results[0].type.shape)
    rewriter.builder.site = node.site
    rewriter[node.results[0]] = try rewriter.builder.emit(
      fusion, operands: node.operands.map { rewriter[$0] })[0]
  }

  private func emitFusion(_ members: [Int], _ rewriter: inout Rewriter) throws {
    let inside = Set(members)
    var body = GraphBuilder()
    var operands: [Value] = []
    var local: [Int: Value] = [:]

    func value(_ outer: Value) throws -> Value {
      if let known = local[outer.id] { return known }
      if let producer = producers[outer.id], roles[producer] == .source, !inside.contains(producer) {
        let node = graph.nodes[producer]
        // A broadcast of what only a sweep could make is read from memory, once.
        let sources = try node.operands.map { try sourceOperand($0) }
        let made = try body.emit(node.operation, operands: sources)[0]
        local[outer.id] = made
        return made
      }
      if let producer = producers[outer.id], isWidening(producer), !inside.contains(producer) {
        let made = try body.emit(
          graph.nodes[producer].operation, operands: [input(graph.nodes[producer].operands[0])])[0]
        local[outer.id] = made
        return made
      }
      return try input(outer)
    }
    func sourceOperand(_ outer: Value) throws -> Value {
      if let known = local[outer.id] { return known }
      if let producer = producers[outer.id], graph.nodes[producer].operation is Constant,
        roles[producer] == .source
      {
        let made = try body.emit(graph.nodes[producer].operation, operands: [])[0]
        local[outer.id] = made
        return made
      }
      return try input(outer)
    }
    func input(_ outer: Value) throws -> Value {
      if let known = local[outer.id] { return known }
      let made = body.input("\(operands.count)", outer.type)
      operands.append(outer)
      local[outer.id] = made
      return made
    }

    for member in members {
      let node = graph.nodes[member]
      var arguments: [Value] = []
      for operand in node.operands {
        // The key of a random stream is read as it is, whatever made it.
        arguments.append(
          node.operation.traits.contains(.random) ? try sourceOperand(operand) : try value(operand))
      }
      let results = try body.emit(node.operation, operands: arguments)
      for (outer, inner) in zip(node.results, results) { local[outer.id] = inner }
    }

    let results = members.flatMap { graph.nodes[$0].results }.filter { isWanted($0, outside: inside) }
    if results.isEmpty { return }
    body.setOutputs(results.map { local[$0.id]! })
    let shape = graph.nodes[members[0]].results[0].type.shape
    rewriter.builder.site = graph.nodes[members.last!].site
    let made = try rewriter.builder.emit(
      Fusion(body: body.graph, shape: shape), operands: operands.map { rewriter[$0] })
    for (old, new) in zip(results, made) { rewriter[old] = new }
  }
}
