import PandoIR

/// x where it is positive, otherwise `slope` times x.
public struct LeakyReLU: ElementwiseComposite {
  public static let name = "leaky_relu"
  public static let operandCount: Int? = 1

  /// The factor of negative elements.
  public let slope: Double

  /// A rectifier that lets `slope` of the negative side through.
  public init(slope: Double = 0.01) { self.slope = slope }

  public func formula(_ x: [Value], in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.select(
      graph.compare(.greater, x[0], graph.constant(0, like: x[0])), x[0], graph.scale(x[0], slope))
  }

  /// The cotangent, times `slope` where x is 0 or less.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (x, dy) = (try graph.widen(operands[0]), try graph.widen(cotangents[0]))
    let isOn = try graph.compare(.greater, x, graph.constant(0, like: x))
    let dx = try graph.select(isOn, dy, graph.scale(dy, slope))
    return [try graph.convert(dx, to: operands[0].type.dtype)]
  }
}
