import PandoIR

/// Numbers drawn evenly from 0 up to but not including 1.
///
/// Operand: the key, `int64[2]`. Results are multiples of 2⁻²⁴ in float32 and in float64 too, of 2⁻¹¹ in float16 and
/// of 2⁻⁸ in bfloat16, so that none is rounded up to 1.
public struct RandomUniform: RandomDraw {
  public static let name = "random_uniform"

  public let shape: [Int]
  /// A floating-point type.
  public let dtype: DType
  public let stream: Int

  /// Uniform numbers of a stream.
  public init(shape: [Int], dtype: DType = .float32, stream: Int) {
    self.shape = shape
    self.dtype = dtype
    self.stream = stream
  }

  /// `dtype` of `shape`.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let type = try checkDraw(operands, dtype)
    try checkFloating(type, "the result")
    return [type]
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let bits =
      switch dtype {
      case .bfloat16: 8
      case .float16: 11
      default: 24
      }
    let whole = try whole(bits: bits, operands[0], in: &graph)
    let real = try graph.convert(whole, to: dtype.accumulator)
    let unit = try graph.scale(real, 1 / Double(1 << bits))
    return [try graph.convert(unit, to: dtype)]
  }
}
