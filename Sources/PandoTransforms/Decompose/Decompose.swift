import PandoIR
import PandoOperations

/// Replaces composites by their decomposition, all the way down, but for those that an engine does at once.
public struct Decompose: Pass {
  public let name = "decompose"
  private let keep: @Sendable (Node) -> Bool

  /// - Parameter keep: whether the engine has a way to do this node as it is.
  public init(keeping keep: @escaping @Sendable (Node) -> Bool) { self.keep = keep }

  public func apply(_ graph: Graph) throws -> Graph {
    guard graph.nodes.contains(where: { $0.operation is any CompositeOperation && !keep($0) }) else {
      return graph
    }
    var rewriter = Rewriter(graph)
    for node in graph.nodes {
      guard let composite = node.operation as? any CompositeOperation, !keep(node) else {
        try rewriter.copy(node)
        continue
      }
      rewriter.builder.site = node.site
      let results = try composite.decompose(node.operands.map { rewriter[$0] }, in: &rewriter.builder)
      for (old, new) in zip(node.results, results) { rewriter[old] = new }
    }
    return try apply(rewriter.finish())
  }
}
