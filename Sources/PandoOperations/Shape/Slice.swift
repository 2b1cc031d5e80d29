import PandoIR

/// Takes a box out of a tensor, or every so many elements of it (StableHLO's `slice`).
public struct Slice: Operation {
  public static let name = "slice"
  public static let operandCount: Int? = 1

  /// The first place taken along each dimension.
  public let starts: [Int]
  /// Along each dimension the place before which it ends.
  public let limits: [Int]
  /// The distance between places taken along each dimension; 1 takes all.
  public let strides: [Int]

  /// The elements at `starts`, `starts + strides`, … below `limits`.
  public init(starts: [Int], limits: [Int], strides: [Int]) {
    self.starts = starts
    self.limits = limits
    self.strides = strides
  }

  public var traits: Traits { .movement }

  /// The operand's type with (limit - start) / stride elements along each dimension, rounded up.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let x = operands[0]
    for (values, what) in [(starts, "starts"), (limits, "limits"), (strides, "strides")]
    where values.count != x.rank {
      throw TypeError(self, "\(what) \(values) must have one number for each dimension of \(x)")
    }
    var shape = x.shape
    for dimension in x.shape.indices {
      let (start, limit, stride) = (starts[dimension], limits[dimension], strides[dimension])
      guard start >= 0, start <= limit, limit <= x.shape[dimension] else {
        throw TypeError(
          self,
          "cannot take \(start)..<\(limit) of dimension \(dimension) of \(x), which has \(x.shape[dimension])"
        )
      }
      guard stride >= 1 else {
        throw TypeError(
          self,
          "the stride of dimension \(dimension) must be at least 1, got \(stride); reverse goes backwards")
      }
      shape[dimension] = start == limit ? 0 : (limit - start - 1) / stride + 1
    }
    return [x.with(shape: shape)]
  }

  /// Puts the cotangent back where it was taken, among zeros.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (from, taken) = (operands[0].type.shape, results[0].type.shape)
    let interior = strides.indices.map { taken[$0] > 1 ? strides[$0] - 1 : 0 }
    let high = from.indices.map { dimension in
      from[dimension] - starts[dimension] - taken[dimension]
        - max(taken[dimension] - 1, 0) * interior[dimension]
    }
    return [try graph.pad(cotangents[0], low: starts, high: high, interior: interior)]
  }

  /// A dimension that is taken whole may be split.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let shape = operands[0].shape
    var rule = ShardingRule.keeping(rank: shape.count) {
      starts[$0] == 0 && limits[$0] == shape[$0] && strides[$0] == 1
    }
    rule.linear = [[0]]
    return rule
  }

  /// Reads only what is taken.
  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: results, results: results)
  }
}

extension GraphBuilder {
  /// A box of `x`, or every so many elements of it (by default all); nothing is emitted for the whole.
  public mutating func slice(
    _ x: Value, starts: [Int], limits: [Int], strides: [Int]? = nil
  ) throws(TypeError) -> Value {
    let strides = strides ?? starts.map { _ in 1 }
    if limits == x.type.shape, starts.allSatisfy({ $0 == 0 }), strides.allSatisfy({ $0 == 1 }) { return x }
    return try emit(Slice(starts: starts, limits: limits, strides: strides), x)
  }

  /// The places `range` along one dimension, and all along the others.
  public mutating func slice(_ x: Value, _ dimension: Int, _ range: Range<Int>) throws(TypeError) -> Value {
    var (starts, limits) = (x.type.shape.map { _ in 0 }, x.type.shape)
    guard limits.indices.contains(dimension) else {
      throw TypeError(operation: Slice.name, "\(x.type) has no dimension \(dimension)")
    }
    (starts[dimension], limits[dimension]) = (range.lowerBound, range.upperBound)
    return try slice(x, starts: starts, limits: limits)
  }
}

extension ShardingRule {
  /// The rule of an operation that keeps the rank and the size of dimensions for which `isKept` holds; the others
  /// must not be split, and have a label of their own in the result.
  static func keeping(rank: Int, _ isKept: (Int) -> Bool) -> ShardingRule {
    let operand = Array(labels(rank))
    let other = Array(labels(rank, from: rank))
    let changed = operand.indices.filter { !isKept($0) }
    let result = operand.indices.map { isKept($0) ? operand[$0] : other[$0] }
    return ShardingRule(
      operands: [String(operand)], results: [String(result)],
      whole: Set(changed.flatMap { [operand[$0], other[$0]] }))
  }
}
