import PandoIR

/// Sorts along a dimension, and says where each element was.
///
/// Results: the sorted elements, and their former places along the dimension as int32. Equal elements keep their order
/// (0 equals -0). NaN counts as larger than every number: it comes last, in descending order first.
public struct Sort: Operation {
  public static let name = "sort"
  public static let operandCount: Int? = 1

  /// The dimension along which elements are sorted.
  public let dimension: Int
  /// Whether the largest comes first.
  public let descending: Bool

  /// A sort along `dimension`.
  public init(_ dimension: Int, descending: Bool = false) {
    self.dimension = dimension
    self.descending = descending
  }

  /// The operand's type, and int32 of the same shape.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try checkOrdered(dimension, of: operands[0])
    return [operands[0], operands[0].with(dtype: .int32)]
  }

  /// Cotangents go back to the places where the elements were.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let type = operands[0].type
    guard type.dtype.isFloatingPoint, type.count > 0 else { return [nil] }
    return [
      try graph.returnTaken(cotangents[0], by: results[1], along: dimension, of: type.shape[dimension])
    ]
  }

  /// Every dimension but the sorted one may be split.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    var rule = ShardingRule.along(dimension, rank: operands[0].rank, operandCount: 1)
    rule.results.append(rule.results[0])
    return rule
  }

  /// About n log₂ n comparisons for each n elements along the dimension.
  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    let depth = Int.bitWidth - operands[0].shape[dimension].leadingZeroBitCount
    return Cost(flops: operands[0].count * depth, operands: operands, results: results)
  }
}
