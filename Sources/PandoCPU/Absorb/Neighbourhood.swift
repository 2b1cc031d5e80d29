import PandoIR
import PandoOperations

/// A graph as an operation sees it that looks for work to take over.
package struct Neighbourhood {
  let graph: Graph
  private let producers: [Int: Int]
  private let users: [[Int]]
  private let isOutput: Set<Int>
  private let isFrozen: [Bool]

  init(_ graph: Graph, _ frozenInputs: Set<Int>) {
    self.graph = graph
    producers = graph.producers
    var users = [[Int]](repeating: [], count: graph.valueCount)
    for (index, node) in graph.nodes.enumerated() {
      for operand in Set(node.operands.map(\.id)) { users[operand].append(index) }
    }
    self.users = users
    isOutput = Set(graph.outputs.map(\.id))
    isFrozen = frozenInputs.isEmpty ? [] : graph.frozenValues(frozenInputs)
  }

  /// The place of the node that makes a value; inputs have none.
  func producer(of value: Value) -> Int? { producers[value.id] }

  /// The node that makes a value.
  func maker(of value: Value) -> Node? { producers[value.id].map { graph.nodes[$0] } }

  /// The place of the one node that uses a value; `nil` where there are others, or the value is an output.
  func onlyUser(of value: Value) -> Int? {
    users[value.id].count == 1 && !isOutput.contains(value.id) ? users[value.id][0] : nil
  }

  /// The places of the nodes that use a value.
  func users(of value: Value) -> [Int] { users[value.id] }

  /// Whether a value only depends on what stays the same from run to run.
  func isFrozen(_ value: Value) -> Bool { !isFrozen.isEmpty && isFrozen[value.id] }

  /// Whether every element of a value is 0.
  func isZero(_ value: Value) -> Bool {
    guard let node = maker(of: value) else { return false }
    if let constant = node.operation as? Constant { return constant.scalar == 0 }
    return node.operation is Broadcast && isZero(node.operands[0])
  }
}

/// A step of elementwise work behind a value that nothing else uses.
struct FollowingStep {
  /// The places of its nodes.
  let members: [Int]
  /// What comes out.
  let result: Value
}

extension Neighbourhood {
  /// The rectifier behind a value: the larger of it and 0, for 16-bit types computed in float32.
  func rectifier(of value: Value) -> FollowingStep? {
    var (members, current) = ([Int](), value)
    func isConversion(_ index: Int) -> Bool { graph.nodes[index].operation is Convert }
    guard var user = onlyUser(of: current) else { return nil }
    if isConversion(user) {
      members.append(user)
      current = graph.nodes[user].results[0]
      guard let next = onlyUser(of: current) else { return nil }
      user = next
    }
    let node = graph.nodes[user]
    guard node.operation as? Binary == Binary(.maximum),
      let other = node.operands.first(where: { $0 != current }),
      isZero(other)
    else { return nil }
    members.append(user)
    current = node.results[0]
    if current.type != value.type {
      guard let last = onlyUser(of: current), isConversion(last) else { return nil }
      members.append(last)
      current = graph.nodes[last].results[0]
    }
    return current.type == value.type ? FollowingStep(members: members, result: current) : nil
  }

  /// The addition of another value behind a value.
  func addition(to value: Value) -> (step: FollowingStep, other: Value)? {
    guard let user = onlyUser(of: value), graph.nodes[user].operation as? Binary == Binary(.add),
      let other = graph.nodes[user].operands.first(where: { $0 != value })
    else { return nil }
    return (FollowingStep(members: [user], result: graph.nodes[user].results[0]), other)
  }

  /// One number for each channel, where a value is nothing but their repetition over a tensor in `layout`.
  func channelNumbers(_ value: Value, in layout: TensorLayout) -> Value? {
    guard let node = maker(of: value), let broadcast = node.operation as? Broadcast else { return nil }
    let source = node.operands[0]
    if layout == .plain { return broadcast.dimensions == [1] ? source : nil }
    guard let block = layout.block, broadcast.dimensions == [1, value.type.rank - 1],
      source.type.shape == [value.type.shape[1], block]
    else { return nil }
    // Divided by a reshape just before.
    guard let division = maker(of: source), division.operation is Reshape,
      division.operands[0].type.shape == [source.type.count]
    else { return nil }
    return division.operands[0]
  }
}
