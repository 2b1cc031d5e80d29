import PandoIR

/// x where it is positive, otherwise alpha (exp(x) - 1).
///
/// Clevert, Unterthiner, Hochreiter: Fast and accurate deep network learning by exponential linear units (2015).
public struct ELU: ElementwiseComposite {
  public static let name = "elu"
  public static let operandCount: Int? = 1

  /// Minus the limit for very negative x.
  public let alpha: Double

  /// An exponential linear unit that tends to `-alpha`.
  public init(alpha: Double = 1) { self.alpha = alpha }

  public func formula(_ x: [Value], in graph: inout GraphBuilder) throws(TypeError) -> Value {
    let zero = try graph.constant(0, like: x[0])
    let low = try graph.unary(.exponentialMinusOne, graph.binary(.minimum, x[0], zero))
    return try graph.select(graph.compare(.greater, x[0], zero), x[0], graph.scale(low, alpha))
  }

  /// The cotangent, times alpha exp(x) where x is 0 or less.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (x, dy) = (try graph.widen(operands[0]), try graph.widen(cotangents[0]))
    let zero = try graph.constant(0, like: x)
    let slope = try graph.scale(graph.unary(.exponential, graph.binary(.minimum, x, zero)), alpha)
    let dx = try graph.select(graph.compare(.greater, x, zero), dy, graph.multiply(dy, slope))
    return [try graph.convert(dx, to: operands[0].type.dtype)]
  }
}
