import PandoIR
import PandoOperations

/// Constant folding, algebra, common subexpressions and dead code, until nothing changes.
///
/// Results are the same to the bit, but for what folding a constant scalar in Double saves of rounding.
public struct Simplify: Pass {
  public let name = "simplify"

  /// The pass; it has no options.
  public init() {}

  public func apply(_ graph: Graph) throws -> Graph {
    var graph = graph
    while true {
      let before = graph.nodes.count
      let (rewritten, changed) = try Self.sweep(graph)
      graph = try EliminateDeadCode().apply(rewritten)
      if !changed && graph.nodes.count == before { return graph }
    }
  }

  private struct Key: Hashable {
    let operation: AnyHashable
    let operands: [Int]
  }

  /// One walk over the nodes: each is replaced by a simpler value where a rule knows one, or by an equal node that
  /// stands before it.
  private static func sweep(_ graph: Graph) throws -> (Graph, changed: Bool) {
    var rewriter = Rewriter(graph)
    var facts = Facts()
    var seen: [Key: [Value]] = [:]
    var changed = false
    for node in graph.nodes {
      rewriter.builder.site = node.site
      let operands = node.operands.map { rewriter[$0] }
      let before = rewriter.builder.graph.nodes.count
      if node.results.count == 1,
        let value = try Rules.simplified(node.operation, operands, &rewriter.builder, facts)
      {
        facts.learn(from: rewriter.builder.graph, since: before)
        rewriter[node.results[0]] = value
        changed = true
        continue
      }
      let ids = operands.map(\.id)
      let ordered = node.operation.traits.contains(.commutative) ? ids.sorted() : ids
      let key = Key(operation: AnyHashable(node.operation), operands: ordered)
      if let results = seen[key] {
        for (old, new) in zip(node.results, results) { rewriter[old] = new }
        changed = true
        continue
      }
      try rewriter.copy(node)
      facts.learn(from: rewriter.builder.graph, since: before)
      seen[key] = node.results.map { rewriter[$0] }
    }
    return (rewriter.finish(), changed)
  }
}

/// Drops nodes that no output needs.
public struct EliminateDeadCode: Pass {
  public let name = "eliminate-dead-code"

  /// The pass; it has no options.
  public init() {}

  public func apply(_ graph: Graph) throws -> Graph {
    var needed = [Bool](repeating: false, count: graph.valueCount)
    for output in graph.outputs { needed[output.id] = true }
    var keep = [Bool](repeating: false, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated().reversed()
    where node.results.contains(where: { needed[$0.id] }) {
      keep[index] = true
      for operand in node.operands { needed[operand.id] = true }
    }
    var rewriter = Rewriter(graph)
    for (node, isKept) in zip(graph.nodes, keep) where isKept { try rewriter.copy(node) }
    return rewriter.finish()
  }
}

/// What a sweep knows of the new graph's values.
struct Facts {
  private var producers: [Int: Node] = [:]
  private var splats: [Int: Double] = [:]

  /// The node that makes a value; inputs have none.
  func producer(_ value: Value) -> Node? { producers[value.id] }

  /// The number that every element of a value is, where that is known and exact in Double.
  func splat(_ value: Value) -> Double? { splats[value.id] }

  mutating func learn(from graph: Graph, since start: Int) {
    for node in graph.nodes[start...] {
      for result in node.results { producers[result.id] = node }
      guard node.results.count == 1 else { continue }
      if let constant = node.operation as? Constant, let scalar = constant.scalar,
        abs(scalar) < 0x1p53 || !scalar.isFinite
      {
        splats[node.results[0].id] = scalar
      } else if node.operation is Broadcast || node.operation is Reshape || node.operation is Transpose {
        splats[node.results[0].id] = splats[node.operands[0].id]
      }
    }
  }
}
