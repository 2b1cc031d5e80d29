import PandoIR

/// The largest elements along a dimension, the largest first, and where they are.
///
/// Results: the elements, and their places along the dimension as int32. Of equal elements the one with the lower place
/// comes first (0 equals -0). NaN counts as larger than every number.
public struct TopK: Operation {
  public static let name = "top_k"
  public static let operandCount: Int? = 1

  /// How many elements are taken.
  public let k: Int
  /// The dimension along which they are sought.
  public let dimension: Int

  /// The `k` largest elements along `dimension`.
  public init(_ k: Int, dimension: Int) {
    self.k = k
    self.dimension = dimension
  }

  /// The operand's type with k places along the dimension, and int32 of the same shape.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let x = operands[0]
    try checkOrdered(dimension, of: x)
    guard (0...x.shape[dimension]).contains(k) else {
      throw TypeError(
        self,
        "cannot take \(k) elements along dimension \(dimension) of \(x): give 0 to \(x.shape[dimension])")
    }
    var shape = x.shape
    shape[dimension] = k
    return [x.with(shape: shape), TensorType(shape, .int32)]
  }

  /// Cotangents go to the places from which the elements were taken.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let type = operands[0].type
    guard type.dtype.isFloatingPoint, type.count > 0 else { return [nil] }
    return [
      try graph.returnTaken(cotangents[0], by: results[1], along: dimension, of: type.shape[dimension])
    ]
  }

  /// Every dimension but the sought one may be split.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    var rule = ShardingRule.keeping(rank: operands[0].rank) { $0 != dimension }
    rule.results.append(rule.results[0])
    return rule
  }

  /// About log₂ k comparisons for each element.
  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    let depth = Int.bitWidth - k.leadingZeroBitCount
    return Cost(flops: operands[0].count * max(depth, 1), operands: operands, results: results)
  }
}
