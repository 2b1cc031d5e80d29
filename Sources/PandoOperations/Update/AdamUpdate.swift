import Foundation
import PandoIR

/// One step of Adam or AdamW, with PyTorch's formulas.
///
/// m ← beta1 m + (1 - beta1) g, v ← beta2 v + (1 - beta2) g², and the parameter falls by
/// rate / (1 - beta1ᵗ) · m / (√v / √(1 - beta2ᵗ) + epsilon). Weight decay either shrinks the parameter by the factor
/// 1 - rate · weightDecay first (decoupled, AdamW), or adds weightDecay times the parameter to the gradient (Adam).
///
/// Operands: parameter, gradient, m, v, and as scalars the learning rate and the step t, which is 1 for the first
/// step; where it `isGuarded` also the gradient's scale and whether the step is taken (bool), see `UpdateGuarding`.
/// Results: the new parameter, m and v, each of its operand's type. Kingma, Ba: Adam (2014); Loshchilov, Hutter:
/// Decoupled weight decay regularization (2017).
public struct AdamUpdate: UpdateGuarding {
  public static let name = "adam_update"
  public static let operandCount: Int? = nil

  /// The share of the mean gradient that stays.
  public let beta1: Double
  /// The share of the mean squared gradient that stays.
  public let beta2: Double
  /// Added to the root of the mean squared gradient.
  public let epsilon: Double
  /// The strength of the pull towards zero.
  public let weightDecay: Double
  /// Whether the pull acts on the parameter (AdamW) and not through the gradient (Adam).
  public let decoupled: Bool
  public let isGuarded: Bool

  /// A step of Adam; by default AdamW without weight decay.
  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0,
    decoupled: Bool = true, isGuarded: Bool = false
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.decoupled = decoupled
    self.isGuarded = isGuarded
  }

  public var traits: Traits { .inPlace }

  /// The types of the parameter, m and v.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try check(beta1, in: 0..<1, "beta1")
    try check(beta2, in: 0..<1, "beta2")
    try check(epsilon: epsilon)
    try checkNotNegative(weightDecay, "weight decay")
    let roles = ["the parameter", "the gradient", "m", "v"]
    try checkCount(operands, roles + ["the learning rate", "the step"])
    try checkUpdate(
      tensors: Array(zip(operands, roles)),
      scalars: [(operands[4], "the learning rate"), (operands[5], "the step")])
    try checkGuard(operands)
    return [operands[0], operands[2], operands[3]]
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    var wide: [Value] = []
    let type = operands[0].type.with(dtype: operands[0].type.dtype.accumulator)
    for operand in operands.prefix(6) { wide.append(try graph.convert(operand, to: type.dtype)) }
    var (p, g) = (wide[0], try scaled(wide[1], by: operands, in: &graph))
    let (rate, step) = (wide[4], wide[5])
    func spread(_ scalar: Value) throws(TypeError) -> Value {
      try graph.broadcast(scalar, to: type.shape, dimensions: [])
    }
    if weightDecay > 0, decoupled {
      let one = try graph.constant(1, like: rate)
      p = try graph.multiply(p, spread(graph.subtract(one, graph.scale(rate, weightDecay))))
    } else if weightDecay > 0 {
      g = try graph.add(g, graph.scale(p, weightDecay))
    }
    let m = try graph.add(graph.scale(wide[2], beta1), graph.scale(g, 1 - beta1))
    let v = try graph.add(graph.scale(wide[3], beta2), graph.scale(graph.multiply(g, g), 1 - beta2))
    let correction1 = try correction(beta1, step, in: &graph)
    let correction2 = try graph.unary(.squareRoot, correction(beta2, step, in: &graph))
    let root = try graph.divide(graph.unary(.squareRoot, v), spread(correction2))
    let denominator = try graph.add(root, graph.constant(epsilon, type))
    let change = try graph.multiply(spread(graph.divide(rate, correction1)), graph.divide(m, denominator))
    let new = [
      try graph.convert(graph.subtract(p, change), to: operands[0].type.dtype),
      try graph.convert(m, to: operands[2].type.dtype),
      try graph.convert(v, to: operands[3].type.dtype),
    ]
    return try taken(new, or: [operands[0], operands[2], operands[3]], operands, in: &graph)
  }

  /// 1 - betaᵗ as -expm1(t log(beta)): in float32 the plain form would lose five digits for beta near 1.
  private func correction(
    _ beta: Double, _ step: Value, in graph: inout GraphBuilder
  ) throws(TypeError) -> Value {
    try graph.negate(graph.unary(.exponentialMinusOne, graph.scale(step, log(beta))))
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    updateRule(rank: operands[0].rank, tensors: 4, scalars: operands.count - 4, results: 3)
  }
}
