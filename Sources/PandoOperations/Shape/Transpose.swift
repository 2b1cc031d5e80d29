import PandoIR

/// Reorders the dimensions.
public struct Transpose: Operation {
  public static let name = "transpose"
  public static let operandCount: Int? = 1

  /// Result dimension `i` is operand dimension `permutation[i]`.
  public let permutation: [Int]

  /// Result dimension `i` is operand dimension `permutation[i]`.
  public init(_ permutation: [Int]) { self.permutation = permutation }

  public var traits: Traits { .movement }

  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let x = operands[0]
    guard permutation.sorted() == Array(0..<x.rank) else {
      throw TypeError(self, "\(permutation) must name each dimension of \(x) once")
    }
    return [x.with(shape: permutation.map { x.shape[$0] })]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    var inverse = permutation
    for (to, from) in permutation.enumerated() { inverse[from] = to }
    return [try graph.transpose(cotangents[0], inverse)]
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = Array(ShardingRule.labels(permutation.count))
    return ShardingRule(
      operands: [String(labels)], results: [String(permutation.map { labels[$0] })], linear: [[0]])
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: operands, results: results)
  }
}
