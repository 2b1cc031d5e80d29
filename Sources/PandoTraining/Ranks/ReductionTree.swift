/// The order in which the parts of a reproducible step are added up: a binary tree over all parts, the same however the
/// parts are spread over ranks and threads.
///
/// The node at (level, index) stands for the parts from `index << level` up to `(index + 1) << level`, and is its left
/// half plus its right half; where the right half lies beyond the last part, it is its left half. Floating-point sums
/// depend on their order, and this order depends on nothing but the number of parts.
package struct ReductionTree: Hashable, Sendable {
  /// A sum of neighbouring parts.
  package struct Node: Hashable, Sendable {
    package let level: Int
    package let index: Int

    /// The node of one part.
    package static func leaf(_ part: Int) -> Node { Node(level: 0, index: part) }
  }

  /// How many parts there are; at least 1.
  package let parts: Int

  package init(parts: Int) {
    precondition(parts > 0, "a tree has at least one part")
    self.parts = parts
  }

  /// The node that stands for all parts.
  package var root: Node {
    var level = 0
    while 1 << level < parts { level += 1 }
    return Node(level: level, index: 0)
  }

  /// The highest node whose sum is the same as the node's, having nothing on its right.
  private func raised(_ node: Node) -> Node {
    var node = node
    while node.level < root.level, node.index.isMultiple(of: 2), (node.index + 1) << node.level >= parts {
      node = Node(level: node.level + 1, index: node.index / 2)
    }
    return node
  }

  /// Adds neighbours as soon as both are there, and keeps what waits for its neighbour.
  package struct Gathering<Value> {
    private let tree: ReductionTree
    /// What waits, from left to right.
    package private(set) var waiting: [(node: Node, value: Value)] = []

    /// Nothing yet.
    package init(_ tree: ReductionTree) { self.tree = tree }

    /// Takes the next node to the right.
    ///
    /// - Parameter add: adds the right value to the left one and gives the sum.
    package mutating func push(
      _ node: Node, _ value: Value, add: (_ left: Value, _ right: Value) throws -> Value
    ) rethrows {
      var (node, value) = (tree.raised(node), value)
      while let last = waiting.last, last.node.level == node.level, node.index == last.node.index + 1,
        last.node.index.isMultiple(of: 2)
      {
        waiting.removeLast()
        value = try add(last.value, value)
        node = tree.raised(Node(level: node.level + 1, index: node.index / 2))
      }
      waiting.append((node, value))
    }
  }

  /// The nodes that neighbouring parts add up to on their own, from left to right.
  package func nodes(of range: Range<Int>) -> [Node] {
    var gathering = Gathering<Void>(self)
    for part in range { gathering.push(.leaf(part), ()) { _, _ in } }
    return gathering.waiting.map(\.node)
  }

  /// The most values that are there at once while `range` is added up, the newest included.
  package func depth(of range: Range<Int>) -> Int {
    var gathering = Gathering<Void>(self)
    var most = 0
    for part in range {
      most = max(most, gathering.waiting.count + 1)
      gathering.push(.leaf(part), ()) { _, _ in }
    }
    return most
  }

  /// The parts of worker `worker` of `workers`: neighbours, as many for each as can be.
  package func range(of worker: Int, among workers: Int) -> Range<Int> {
    parts * worker / workers..<parts * (worker + 1) / workers
  }
}
