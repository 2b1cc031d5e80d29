import PandoIR

/// Surrounds a tensor with copies of a scalar, and puts copies between its elements (StableHLO's `pad`).
///
/// Operands: x, and the scalar. A negative amount before or after cuts elements off instead; amounts between apply
/// first.
public struct Pad: Operation {
  public static let name = "pad"
  public static let operandCount: Int? = 2

  /// How many copies come before the first element along each dimension; negative: how many places are cut off.
  public let low: [Int]
  /// How many come after the last; negative likewise.
  public let high: [Int]
  /// How many come between neighbours, not negative.
  public let interior: [Int]

  /// A padding by so much along each dimension.
  public init(low: [Int], high: [Int], interior: [Int]) {
    self.low = low
    self.high = high
    self.interior = interior
  }

  public var traits: Traits { .movement }

  /// The type of x, of size `low + n + (n - 1) interior + high` where a dimension has n elements.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (x, value) = (operands[0], operands[1])
    guard value == .scalar(x.dtype) else {
      throw TypeError(self, "the padding value must be \(TensorType.scalar(x.dtype)) for \(x), got \(value)")
    }
    for (amounts, what) in [(low, "low"), (high, "high"), (interior, "interior")]
    where amounts.count != x.rank {
      throw TypeError(self, "\(what) \(amounts) must have one number for each dimension of \(x)")
    }
    var shape = x.shape
    for dimension in x.shape.indices {
      guard (0..<Int.max).contains(interior[dimension]) else {
        throw TypeError(
          self, "cannot put \(interior[dimension]) elements between those of dimension \(dimension) of \(x)")
      }
      guard let size = paddedSize(x.shape[dimension], dimension), size >= 0 else {
        throw TypeError(
          self,
          "dimension \(dimension) of \(x) cannot be padded by \(low[dimension]) before, \(high[dimension]) after "
            + "and \(interior[dimension]) between: the size would be negative or too large")
      }
      shape[dimension] = size
    }
    return [x.with(shape: shape)]
  }

  /// `nil` where it does not fit an integer.
  private func paddedSize(_ count: Int, _ dimension: Int) -> Int? {
    guard low[dimension] > .min, high[dimension] > .min else { return nil }
    let (gaps, tooWide) = max(count - 1, 0).multipliedReportingOverflow(by: interior[dimension])
    var sum = count
    var overflow = tooWide
    for part in [gaps, low[dimension], high[dimension]] {
      let (next, over) = sum.addingReportingOverflow(part)
      sum = next
      overflow = overflow || over
    }
    return overflow ? nil : sum
  }

  /// The cotangent of x is cut out of the result's, with zeros for what was cut off; that of the scalar is the sum
  /// over its copies.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (dy, x) = (cotangents[0], operands[0].type)
    let dilated = try graph.pad(dy, low: low.map { -$0 }, high: high.map { -$0 })
    let dx = try graph.slice(
      dilated, starts: low.map { _ in 0 }, limits: dilated.type.shape, strides: interior.map { $0 + 1 })

    // Selecting is exact where the difference of two large sums would not be.
    let isElement = try graph.constant(0, x.with(dtype: .bool))
    let isCopy = try graph.emit(self, isElement, graph.constant(1, .scalar(.bool)))
    let copies = try graph.select(isCopy, dy, graph.constant(0, like: dy))
    return [dx, try graph.reduce(.sum, copies, Array(x.shape.indices))]
  }

  /// A dimension that is not padded may be split.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    var rule = ShardingRule.keeping(rank: operands[0].rank) {
      low[$0] == 0 && high[$0] == 0 && interior[$0] == 0
    }
    rule.operands.append("")
    return rule
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: operands, results: results)
  }
}

extension GraphBuilder {
  /// `x` with copies of `value` before, after and (by default none) between its elements along each dimension;
  /// nothing is emitted where there are none.
  public mutating func pad(
    _ x: Value, low: [Int], high: [Int], interior: [Int]? = nil, value: Double = 0
  ) throws(TypeError) -> Value {
    let interior = interior ?? low.map { _ in 0 }
    if low.count == x.type.rank, (low + high + interior).allSatisfy({ $0 == 0 }) { return x }
    let scalar = try constant(value, .scalar(x.type.dtype))
    return try emit(Pad(low: low, high: high, interior: interior), x, scalar)
  }
}
