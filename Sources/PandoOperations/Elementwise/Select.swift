import PandoIR

/// Takes each element from the second operand where the first is true, otherwise from the third.
public struct Select: Operation {
  public static let name = "select"
  public static let operandCount: Int? = 3

  /// `select(condition, whenTrue, whenFalse)`
  public init() {}

  public var traits: Traits { .elementwise }

  public var precision: PrecisionRule { .follow }

  /// The type of the second and third operand; the first is `bool` of the same shape.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (condition, x, y) = (operands[0], operands[1], operands[2])
    guard condition.dtype == .bool else {
      throw TypeError(self, "the condition must be bool, got \(condition)")
    }
    guard x == y, condition.shape == x.shape else {
      throw TypeError(self, "takes a condition and two tensors of one shape, got \(condition), \(x) and \(y)")
    }
    return [x]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let zero = try graph.constant(0, like: cotangents[0])
    return [
      nil, try graph.select(operands[0], cotangents[0], zero),
      try graph.select(operands[0], zero, cotangents[0]),
    ]
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    .elementwise(rank: operands[0].rank, operandCount: 3, linear: [[1, 2]])
  }
}
