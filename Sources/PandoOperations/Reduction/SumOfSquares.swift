import PandoIR

/// The sum of the squares of all elements: a gradient's share of the norm by which gradients are clipped.
///
/// Operand: x, floating point. Result: a scalar of the accumulator's type, `float32` but for `float64`.
public struct SumOfSquares: CompositeOperation {
  public static let name = "sum_of_squares"
  public static let operandCount: Int? = 1

  /// The sum over the whole operand.
  public init() {}

  /// A scalar of the accumulator's type.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try checkFloating(operands[0], "x")
    return [.scalar(operands[0].dtype.accumulator)]
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let x = try graph.widen(operands[0])
    return [try graph.reduce(.sum, graph.multiply(x, x), Array(x.type.shape.indices))]
  }

  /// Any dimension may be split, which leaves partial sums.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    ShardingRule(operands: [ShardingRule.labels(operands[0].rank)], results: [""])
  }
}
