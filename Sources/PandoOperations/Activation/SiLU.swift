import PandoIR

/// x times the logistic function of x, also called swish.
///
/// Elfwing, Uchibe, Doya: Sigmoid-weighted linear units for neural network function approximation (2017).
public struct SiLU: ElementwiseComposite {
  public static let name = "silu"
  public static let operandCount: Int? = 1

  /// The sigmoid-weighted unit; it has no attributes.
  public init() {}

  public func formula(_ x: [Value], in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.multiply(x[0], graph.unary(.logistic, x[0]))
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [try graph.emit(SiLUGradient(), operands[0], cotangents[0])] }
}

/// The gradient of `SiLU`: operands x and the cotangent of the result, result the cotangent of x.
public struct SiLUGradient: ElementwiseComposite {
  public static let name = "silu_gradient"
  public static let operandCount: Int? = 2

  /// The gradient; it has no attributes.
  public init() {}

  /// dy s (1 + x (1 - s)), with s the logistic function of x
  public func formula(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> Value {
    let (x, dy) = (operands[0], operands[1])
    let one = try graph.constant(1, like: x)
    let s = try graph.unary(.logistic, x)
    let bracket = try graph.add(one, graph.multiply(x, graph.subtract(one, s)))
    return try graph.multiply(dy, graph.multiply(s, bracket))
  }
}
