import PandoIR

/// Overwrites a box of a tensor at a place that is known only when the program runs.
///
/// Operands: x, the update, and its first place along each dimension of x, `int32[rank]` or `int64[rank]`. As in
/// StableHLO the place is clamped so that the box lies inside.
public struct DynamicUpdateSlice: Operation {
  public static let name = "dynamic_update_slice"
  public static let operandCount: Int? = 3

  /// The operation; its sizes are the update's.
  public init() {}

  public var traits: Traits { [.movement, .inPlace] }

  /// The type of x.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (x, update) = (operands[0], operands[1])
    guard x.dtype == update.dtype else {
      throw TypeError(self, "cannot write \(update) into \(x); convert one")
    }
    try checkBox(update.shape, in: x, start: operands[2])
    return [x]
  }

  /// The update's cotangent is taken from the box, and x has none there.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (dy, update, start) = (cotangents[0], operands[1], operands[2])
    let zeros = try graph.constant(0, like: update)
    return [
      try graph.emit(DynamicUpdateSlice(), dy, zeros, start),
      try graph.emit(DynamicSlice(sizes: update.type.shape), dy, start), nil,
    ]
  }

  /// A dimension that is overwritten whole may be split.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let (shape, box) = (operands[0].shape, operands[1].shape)
    let rule = ShardingRule.keeping(rank: shape.count) { box[$0] == shape[$0] }
    let start = ShardingRule.labels(1, from: 2 * shape.count)
    return ShardingRule(
      operands: [rule.operands[0], rule.results[0], start], results: [rule.operands[0]],
      whole: rule.whole.union(start))
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: operands, results: results)
  }
}
