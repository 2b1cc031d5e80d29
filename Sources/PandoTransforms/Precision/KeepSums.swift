import PandoIR
import PandoOperations

/// Hands sums out unrounded where all who read them widen them: in mixed precision the gradients of parameters, and
/// scores before a loss, are sums of 16-bit products in float32 that never were anything narrower.
public struct KeepSums: Pass {
  public let name = "keep-sums"

  /// The pass; it has no options.
  public init() {}

  public func apply(_ graph: Graph) throws -> Graph {
    var readers = [[Int]](repeating: [], count: graph.valueCount)
    for (index, node) in graph.nodes.enumerated() {
      for operand in node.operands { readers[operand.id].append(index) }
    }
    let outputs = Set(graph.outputs.map(\.id))

    /// The operation that makes the sum unrounded, and the nodes that only widen it.
    func kept(_ node: Node) -> (operation: any PandoIR.Operation, widenings: [Int])? {
      guard let sum = node.operation as? any Accumulating, sum.resultDType == nil, node.results.count == 1,
        !outputs.contains(node.results[0].id)
      else { return nil }
      let type = node.results[0].type
      let wide = type.dtype.accumulator
      let widenings = readers[node.results[0].id]
      guard type.dtype.isFloatingPoint, wide != type.dtype, !widenings.isEmpty,
        widenings.allSatisfy({ graph.nodes[$0].operation as? Convert == Convert(to: wide) }),
        let unrounded = sum.accumulating(in: wide)
      else { return nil }
      return (unrounded, widenings)
    }

    var rewriter = Rewriter(graph)
    var replaced: [Int: Value] = [:]
    for (index, node) in graph.nodes.enumerated() {
      if let value = replaced[index] {
        rewriter[node.results[0]] = value
        continue
      }
      guard let (operation, widenings) = kept(node) else {
        try rewriter.copy(node)
        continue
      }
      rewriter.builder.site = node.site
      let result = try rewriter.builder.emit(operation, operands: node.operands.map { rewriter[$0] })[0]
      for widening in widenings { replaced[widening] = result }
    }
    return rewriter.finish()
  }
}
