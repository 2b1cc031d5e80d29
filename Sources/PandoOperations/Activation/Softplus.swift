import PandoIR

/// log(1 + exp(x)), the smooth form of max(x, 0).
public struct Softplus: ElementwiseComposite {
  public static let name = "softplus"
  public static let operandCount: Int? = 1

  /// The smooth rectifier; it has no attributes.
  public init() {}

  /// max(x, 0) + log1p(exp(-|x|)), which neither overflows nor loses small values.
  public func formula(_ x: [Value], in graph: inout GraphBuilder) throws(TypeError) -> Value {
    let tail = try graph.unary(.exponential, graph.negate(graph.unary(.absolute, x[0])))
    let zero = try graph.constant(0, like: x[0])
    return try graph.add(graph.binary(.maximum, x[0], zero), graph.unary(.logarithmPlusOne, tail))
  }

  /// The cotangent times the logistic function of x.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let slope = try graph.unary(.logistic, graph.widen(operands[0]))
    let dx = try graph.multiply(graph.widen(cotangents[0]), slope)
    return [try graph.convert(dx, to: operands[0].type.dtype)]
  }
}
