import PandoIR

/// x times the probability that a standard normal variable is below x.
///
/// Hendrycks, Gimpel: Gaussian error linear units (2016).
public struct GELU: ElementwiseComposite {
  /// How the probability is computed; names follow PyTorch.
  public enum Approximation: String, Hashable, Sendable, Codable, CaseIterable {
    /// By the error function.
    case none
    /// By tanh(√(2/π) (x + 0.044715 x³)), as GPT-2 does.
    case tanh
  }

  public static let name = "gelu"
  public static let operandCount: Int? = 1

  /// How the probability is computed.
  public let approximation: Approximation

  /// A Gaussian error linear unit.
  public init(approximation: Approximation = .none) { self.approximation = approximation }

  public func formula(_ x: [Value], in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.multiply(x[0], GELU.probability(x[0], approximation, in: &graph))
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    [try graph.emit(GELUGradient(approximation: approximation), operands[0], cotangents[0])]
  }

  fileprivate static let tanhFactor = 0.797884560802865355880  // √(2/π)
  fileprivate static let tanhCubic = 0.044715

  fileprivate static func probability(
    _ x: Value, _ approximation: Approximation, in graph: inout GraphBuilder
  ) throws(TypeError) -> Value {
    let function =
      switch approximation {
      case .none: try graph.unary(.errorFunction, graph.scale(x, 0.707106781186547524401))
      case .tanh:
        try graph.unary(
          .hyperbolicTangent,
          graph.multiply(
            x,
            graph.add(
              graph.constant(tanhFactor, like: x),
              graph.scale(graph.multiply(x, x), tanhFactor * tanhCubic))))
      }
    let half = try graph.constant(0.5, like: x)
    return try graph.add(half, graph.multiply(half, function))
  }
}

/// The gradient of `GELU`: operands x and the cotangent of the result, result the cotangent of x.
public struct GELUGradient: ElementwiseComposite {
  public static let name = "gelu_gradient"
  public static let operandCount: Int? = 2

  /// As in the forward operation.
  public let approximation: GELU.Approximation

  /// The gradient of a `GELU` with the same approximation.
  public init(approximation: GELU.Approximation = .none) { self.approximation = approximation }

  /// dy (P(x) + x P'(x))
  public func formula(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.multiply(operands[1], slope(operands[0], in: &graph))
  }

  /// The slope is rounded to the operand's type: made in the sweep that makes the result, it is kept for the backward
  /// pass in 16 bits where the operand has 16.
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let dtype = operands[0].type.dtype
    let slope = try graph.convert(slope(graph.widen(operands[0]), in: &graph), to: dtype)
    let dx = try graph.multiply(graph.widen(operands[1]), graph.widen(slope))
    return [try graph.convert(dx, to: dtype)]
  }

  private func slope(_ x: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    let probability = try GELU.probability(x, approximation, in: &graph)
    let square = try graph.multiply(x, x)
    let density: Value
    switch approximation {
    case .none:
      let oneOverRootTwoPi = 0.398942280401432677940
      density = try graph.scale(graph.unary(.exponential, graph.scale(square, -0.5)), oneOverRootTwoPi)
    case .tanh:
      // P = (1 + tanh u) / 2, so P' = 2 P (1 - P) u'.
      let slope = try graph.add(
        graph.constant(2 * GELU.tanhFactor, like: x),
        graph.scale(square, 6 * GELU.tanhFactor * GELU.tanhCubic))
      let rest = try graph.subtract(graph.constant(1, like: x), probability)
      density = try graph.multiply(graph.multiply(probability, rest), slope)
    }
    return try graph.add(probability, graph.multiply(x, density))
  }
}
