import PandoIR

/// Converts every element to another type.
///
/// Floating point rounds to nearest even; floating point to integer drops the fraction and saturates, NaN becomes 0;
/// integer to narrower integer wraps; anything but zero becomes `true`.
public struct Convert: Operation {
  public static let name = "convert"
  public static let operandCount: Int? = 1

  /// The type of the result's elements.
  public let dtype: DType

  /// A conversion to `dtype`.
  public init(to dtype: DType) { self.dtype = dtype }

  public var traits: Traits { .elementwise }

  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [operands[0].with(dtype: dtype)]
  }

  /// The cotangent converted back; none where either side is not floating point.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let source = operands[0].type.dtype
    guard source.isFloatingPoint, dtype.isFloatingPoint else { return [nil] }
    return [try graph.convert(cotangents[0], to: source)]
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    // Terms that are rounded one by one do not add up to the rounded sum.
    let isExact =
      dtype.isFloatingPoint && operands[0].dtype.isFloatingPoint
      && dtype.byteCount > operands[0].dtype.byteCount
    return .elementwise(rank: operands[0].rank, operandCount: 1, linear: isExact ? [[0]] : [])
  }
}
