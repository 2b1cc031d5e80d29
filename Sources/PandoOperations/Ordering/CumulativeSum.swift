import PandoIR

/// Running sums along a dimension.
public struct CumulativeSum: Operation {
  public static let name = "cumulative_sum"
  public static let operandCount: Int? = 1

  /// The dimension along which elements are summed.
  public let dimension: Int
  /// Whether sums run from the last element to the first.
  public let reverse: Bool
  /// Whether an element is left out of its own sum, so that the first sum is 0.
  public let exclusive: Bool

  /// Running sums along `dimension`.
  public init(_ dimension: Int, reverse: Bool = false, exclusive: Bool = false) {
    self.dimension = dimension
    self.reverse = reverse
    self.exclusive = exclusive
  }

  public var traits: Traits { .inPlace }

  /// The operand's type, numbers of any kind; integers wrap.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let x = operands[0]
    guard x.shape.indices.contains(dimension) else {
      throw TypeError(self, "\(x) has no dimension \(dimension)")
    }
    guard x.dtype != .bool else { throw TypeError(self, "adds numbers, got \(x); convert it first") }
    return [x]
  }

  /// Each element is part of the sums from its own on, so the cotangents are summed the other way.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let back = CumulativeSum(dimension, reverse: !reverse, exclusive: exclusive)
    return [try graph.emit(back, cotangents[0])]
  }

  /// Every dimension but the summed one may be split.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    .along(dimension, rank: operands[0].rank, operandCount: 1)
  }
}
