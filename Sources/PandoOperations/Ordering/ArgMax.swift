import PandoIR

/// The place of the largest (or smallest) element along a dimension, which the result drops.
///
/// The first of equal elements wins, and 0 equals -0. NaN counts as larger than every number.
public struct ArgMax: Operation {
  public static let name = "arg_max"
  public static let operandCount: Int? = 1

  /// The dimension that is searched.
  public let dimension: Int
  /// Whether the smallest element is sought.
  public let minimum: Bool

  /// The place of the largest element along `dimension`, or of the smallest.
  public init(_ dimension: Int, minimum: Bool = false) {
    self.dimension = dimension
    self.minimum = minimum
  }

  /// int32, of the operand's shape without the dimension, which must not be empty.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let x = operands[0]
    try checkOrdered(dimension, of: x)
    guard x.shape[dimension] > 0 else {
      throw TypeError(self, "dimension \(dimension) of \(x) is empty, and has no largest element")
    }
    var shape = x.shape
    shape.remove(at: dimension)
    return [TensorType(shape, .int32)]
  }

  /// A place does not change with small changes of the elements.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [nil] }

  /// Every dimension but the searched one may be split.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    var labels = Array(ShardingRule.labels(operands[0].rank))
    let operand = String(labels)
    let searched = labels.remove(at: dimension)
    return ShardingRule(operands: [operand], results: [String(labels)], whole: [searched])
  }

  /// One comparison for each element.
  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: operands[0].count, operands: operands, results: results)
  }
}
