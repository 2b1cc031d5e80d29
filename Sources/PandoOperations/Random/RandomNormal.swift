import PandoIR

/// Numbers drawn from the normal distribution with mean 0 and variance 1.
///
/// Operand: the key, `int64[2]`. Each element has two words of its own, 24 bits of lane 0 and of lane 1 of the stream
/// (Box and Muller: "A Note on the Generation of Random Normal Deviates", 1958): `sqrt(-2 log u) cos(2 π v)` with u in
/// (0, 1] and v in [0, 1). No number is larger than sqrt(48 log 2), about 5.77. It is computed in float32, for float64
/// in float64, and rounded once.
public struct RandomNormal: RandomDraw {
  public static let name = "random_normal"

  public let shape: [Int]
  /// A floating-point type.
  public let dtype: DType
  public let stream: Int

  /// Normal numbers of a stream.
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
    let first = try whole(bits: 24, lane: 0, operands[0], in: &graph)
    // One more, so that the logarithm is never taken of 0.
    let above = try graph.add(first, graph.constant(1, like: first))
    let u = try graph.scale(graph.convert(above, to: dtype.accumulator), 0x1p-24)
    let radius = try graph.unary(.squareRoot, graph.scale(graph.unary(.logarithm, u), -2))
    let second = try whole(bits: 24, lane: 1, operands[0], in: &graph)
    let angle = try graph.scale(graph.convert(second, to: dtype.accumulator), 2 * Double.pi * 0x1p-24)
    let deviate = try graph.multiply(radius, graph.unary(.cosine, angle))
    return [try graph.convert(deviate, to: dtype)]
  }
}
