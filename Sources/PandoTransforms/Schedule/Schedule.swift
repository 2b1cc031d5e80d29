import PandoIR

/// Orders the nodes so that little memory is alive at once.
///
/// Two orders are tried, the one that the graph came in and a greedy one that always takes the ready node which frees
/// the most; the one with the lower peak is kept. Nodes that write a donated input in place come after all others that
/// read it.
public struct Schedule: Pass {
  public let name = "schedule"
  private let donations: [Int: Int]

  /// - Parameter donations: for each donated input the output that takes its memory over.
  public init(donations: [Int: Int] = [:]) { self.donations = donations }

  public func apply(_ graph: Graph) throws -> Graph {
    let edges = Edges(graph, donations: donations)
    let orders = [edges.steadyOrder(), edges.greedyOrder(graph)]
    let peaks = orders.map { Self.peak(graph, $0) }
    return graph.reordered(peaks[1] < peaks[0] ? orders[1] : orders[0])
  }

  /// The most bytes of intermediate values alive at once, without workspaces and reuse in place.
  static func peak(_ graph: Graph, _ order: [Int]) -> Int {
    var remaining = graph.useCounts
    var (live, peak) = (0, 0)
    let isInput = Set(graph.inputs.map(\.value.id))
    for index in order {
      let node = graph.nodes[index]
      let isAlias = node.operation.traits.contains(.alias)
      if !isAlias { live += node.results.reduce(0) { $0 + $1.type.byteCount } }
      peak = max(peak, live)
      for operand in node.operands where !isInput.contains(operand.id) {
        remaining[operand.id] -= 1
        if remaining[operand.id] == 0, !isAlias { live -= operand.type.byteCount }
      }
    }
    return peak
  }
}

/// What must come before what.
struct Edges {
  /// For each node, the nodes that wait for it.
  private var waiting: [[Int]]
  /// For each node, how many nodes it waits for.
  private var counts: [Int]

  init(_ graph: Graph, donations: [Int: Int]) {
    let producers = graph.producers
    waiting = [[Int]](repeating: [], count: graph.nodes.count)
    counts = [Int](repeating: 0, count: graph.nodes.count)
    func edge(_ from: Int, _ to: Int) {
      waiting[from].append(to)
      counts[to] += 1
    }
    for (index, node) in graph.nodes.enumerated() {
      for producer in Set(node.operands.compactMap { producers[$0.id] }) { edge(producer, index) }
    }
    // All ranks do the same exchanges in the same order.
    let collectives = graph.nodes.indices.filter { graph.nodes[$0].operation.traits.contains(.collective) }
    let users = Edges.firstUsers(graph)
    for (before, after) in zip(collectives, collectives.dropFirst()) {
      edge(before, after)
      // What is gathered waits until what was gathered before it is used, or all of it would be there at once.
      if let user = graph.nodes[before].results.compactMap({ users[$0.id] }).min(), user < after {
        edge(user, after)
      }
    }
    // A reader of a donated input goes before the node that writes over it, unless it needs what that node makes.
    let readers = Edges.inputReaders(graph)
    for (input, output) in donations {
      guard let writer = producers[graph.outputs[output].id] else { continue }
      let reachable = Edges.descendants(of: writer, waiting)
      for index in readers[input] where index != writer && !reachable[index] { edge(index, writer) }
    }
  }

  /// For each input, the nodes that read its bytes, under its own name or another.
  private static func inputReaders(_ graph: Graph) -> [[Int]] {
    var places = [Int?](repeating: nil, count: graph.valueCount)
    for (place, input) in graph.inputs.enumerated() { places[input.value.id] = place }
    var readers = [[Int]](repeating: [], count: graph.inputs.count)
    for (index, node) in graph.nodes.enumerated() {
      for place in Set(node.operands.compactMap { places[$0.id] }) { readers[place].append(index) }
      if node.operation.traits.contains(.alias) { places[node.results[0].id] = places[node.operands[0].id] }
    }
    return readers
  }

  /// For each value, the first node that uses it.
  private static func firstUsers(_ graph: Graph) -> [Int?] {
    var users = [Int?](repeating: nil, count: graph.valueCount)
    for (index, node) in graph.nodes.enumerated().reversed() {
      for operand in node.operands { users[operand.id] = index }
    }
    return users
  }

  private static func descendants(of node: Int, _ waiting: [[Int]]) -> [Bool] {
    var reached = [Bool](repeating: false, count: waiting.count)
    var stack = [node]
    while let next = stack.popLast() {
      for follower in waiting[next] where !reached[follower] {
        reached[follower] = true
        stack.append(follower)
      }
    }
    return reached
  }

  /// The graph's own order, but for nodes that must wait longer.
  func steadyOrder() -> [Int] {
    var counts = counts
    var done = [Bool](repeating: false, count: counts.count)
    var order: [Int] = []
    // A node that became ready after its place has passed comes as soon as it is ready.
    func take(_ node: Int) {
      var stack = [node]
      while let next = stack.popLast() {
        done[next] = true
        order.append(next)
        for follower in waiting[next] {
          counts[follower] -= 1
          if counts[follower] == 0 && follower < next && !done[follower] { stack.append(follower) }
        }
      }
    }
    for node in counts.indices where !done[node] && counts[node] == 0 { take(node) }
    while order.count < counts.count {
      guard let node = counts.indices.first(where: { !done[$0] && counts[$0] == 0 }) else {
        preconditionFailure("the graph and its donations have a cycle")
      }
      take(node)
    }
    return order
  }

  /// Takes the ready node that changes the bytes alive the least.
  func greedyOrder(_ graph: Graph) -> [Int] {
    var remaining = graph.useCounts
    let isInput = Set(graph.inputs.map(\.value.id))
    var counts = counts
    var ready = counts.indices.filter { counts[$0] == 0 }
    var order: [Int] = []
    func change(_ index: Int) -> Int {
      let node = graph.nodes[index]
      if node.operation.traits.contains(.alias) { return 0 }
      var bytes = node.results.reduce(0) { $0 + $1.type.byteCount }
      for operand in Set(node.operands) where !isInput.contains(operand.id) {
        if remaining[operand.id] == node.operands.count(where: { $0 == operand }) {
          bytes -= operand.type.byteCount
        }
      }
      return bytes
    }
    while !ready.isEmpty {
      var best = 0
      var bestKey = (change(ready[0]), ready[0])
      for candidate in ready.indices.dropFirst() {
        let key = (change(ready[candidate]), ready[candidate])
        if key < bestKey { (best, bestKey) = (candidate, key) }
      }
      let node = ready.remove(at: best)
      order.append(node)
      for operand in graph.nodes[node].operands { remaining[operand.id] -= 1 }
      for follower in waiting[node] {
        counts[follower] -= 1
        if counts[follower] == 0 { ready.append(follower) }
      }
    }
    return order
  }
}
