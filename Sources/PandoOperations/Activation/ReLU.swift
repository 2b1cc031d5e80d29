import PandoIR

/// max(x, 0); NaN stays NaN.
public struct ReLU: ElementwiseComposite {
  public static let name = "relu"
  public static let operandCount: Int? = 1

  /// The rectifier; it has no attributes.
  public init() {}

  public func formula(_ x: [Value], in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.binary(.maximum, x[0], graph.constant(0, like: x[0]))
  }

  /// The cotangent where the result is positive, and zero at 0 as in PyTorch: read from the result, so that the
  /// operand need not be kept.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let zero = try graph.constant(0, like: results[0])
    let isOff = try graph.compare(.lessOrEqual, results[0], zero)
    return [try graph.select(isOff, zero, cotangents[0])]
  }
}
