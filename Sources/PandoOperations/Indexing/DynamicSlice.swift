import PandoIR

/// Takes a box of fixed sizes at a place that is known only when the program runs.
///
/// Operands: x, and its first place along each dimension, `int32[rank]` or `int64[rank]`. As in StableHLO the place is
/// clamped so that the box lies inside.
public struct DynamicSlice: Operation {
  public static let name = "dynamic_slice"
  public static let operandCount: Int? = 2

  /// The box's size along each dimension.
  public let sizes: [Int]

  /// A slice of `sizes`.
  public init(sizes: [Int]) { self.sizes = sizes }

  public var traits: Traits { .movement }

  /// The type of x with the box's sizes.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let x = operands[0]
    try checkBox(sizes, in: x, start: operands[1])
    return [x.with(shape: sizes)]
  }

  /// Writes the cotangent into zeros, at the same place.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let zeros = try graph.constant(0, like: operands[0])
    return [try graph.emit(DynamicUpdateSlice(), zeros, cotangents[0], operands[1]), nil]
  }

  /// A dimension that is taken whole may be split.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let shape = operands[0].shape
    var rule = ShardingRule.keeping(rank: shape.count) { sizes[$0] == shape[$0] }
    let start = ShardingRule.labels(1, from: 2 * shape.count)
    rule.operands.append(start)
    rule.whole.formUnion(start)
    rule.linear = [[0]]
    return rule
  }

  /// Reads only what is taken.
  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: [operands[1]] + results, results: results)
  }
}

extension Operation {
  /// The box must fit into `x`, and `start` must be a whole number for each of its dimensions.
  func checkBox(_ sizes: [Int], in x: TensorType, start: TensorType) throws(TypeError) {
    guard sizes.count == x.rank, zip(sizes, x.shape).allSatisfy({ $0 >= 0 && $0 <= $1 }) else {
      throw TypeError(self, "a box of \(sizes) does not fit into \(x)")
    }
    guard start.dtype == .int32 || start.dtype == .int64, start.shape == [x.rank] else {
      throw TypeError(self, "the start must be int32[\(x.rank)] or int64[\(x.rank)] for \(x), got \(start)")
    }
  }
}
