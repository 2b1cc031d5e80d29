/// The result of a node or an input of a graph: static single assignment.
public struct Value: Hashable, Sendable {
  /// The place in `Graph.types`; unique in its graph.
  public let id: Int
  /// Shape and element type.
  public let type: TensorType

  package init(id: Int, type: TensorType) {
    self.id = id
    self.type = type
  }
}

/// One operation applied to values.
public struct Node: Sendable {
  /// What is done.
  public let operation: any Operation
  /// To what, in order.
  public let operands: [Value]
  /// What comes out.
  public let results: [Value]
  /// The user's call that led to it, where it is known.
  public let site: SourceSite?
}

/// A program without side effects: inputs, nodes in an order in which each uses only what stands before it, outputs.
public struct Graph: Sendable {
  /// An input with the name by which users know it (`hidden.weight`, `images`).
  public struct Input: Hashable, Sendable {
    /// What it stands for; unique in the graph.
    public let name: String
    /// The value that nodes use.
    public let value: Value
  }

  /// What must be given to run it.
  public internal(set) var inputs: [Input] = []
  /// The operations in order of execution.
  public internal(set) var nodes: [Node] = []
  /// What it returns; a value may stand here twice.
  public internal(set) var outputs: [Value] = []
  /// How many values exist; each `Value.id` is below.
  public internal(set) var valueCount = 0

  /// A graph without anything.
  public init() {}

  /// The node that makes each value, by its id; inputs have none.
  public var producers: [Int: Int] {
    var producers: [Int: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for result in node.results { producers[result.id] = index }
    }
    return producers
  }

  /// How often each value is used, by its id; an output counts as a use.
  public var useCounts: [Int] {
    var counts = [Int](repeating: 0, count: valueCount)
    for node in nodes { for operand in node.operands { counts[operand.id] += 1 } }
    for output in outputs { counts[output.id] += 1 }
    return counts
  }

  /// The summed cost of all nodes.
  public var cost: Cost {
    nodes.reduce(into: Cost(flops: 0, bytes: 0)) { total, node in
      let cost = node.operation.cost(node.operands.map(\.type), node.results.map(\.type))
      total.flops += cost.flops
      total.bytes += cost.bytes
      total.sentBytes += cost.sentBytes
    }
  }

  /// The same nodes in another order, which must still be one in which each uses only what stands before it.
  package func reordered(_ order: [Int]) -> Graph {
    var graph = self
    graph.nodes = order.map { nodes[$0] }
    return graph
  }
}
