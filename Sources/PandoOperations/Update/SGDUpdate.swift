import PandoIR

/// One step of stochastic gradient descent, with PyTorch's formulas (its dampening is 0).
///
/// With g the gradient plus `weightDecay` times the parameter: velocity ← `momentum` velocity + g, and the parameter
/// falls by the learning rate times the velocity; with Nesterov's momentum by the learning rate times
/// (g + `momentum` velocity); without momentum by the learning rate times g. The velocity begins as zeros.
///
/// Operands: parameter, gradient, velocity (only where `momentum` is not 0), and the learning rate as a scalar; where it
/// `isGuarded` also the gradient's scale and whether the step is taken (bool), see `UpdateGuarding`.
/// Results: the new parameter and (where there is one) the new velocity, each of its operand's type.
public struct SGDUpdate: UpdateGuarding {
  public static let name = "sgd_update"
  public static let operandCount: Int? = nil

  /// The share of the velocity that stays; 0 for none.
  public let momentum: Double
  /// Whether the step looks ahead by Nesterov's rule.
  public let nesterov: Bool
  /// The share of the parameter that is added to the gradient.
  public let weightDecay: Double
  public let isGuarded: Bool

  /// A step of gradient descent.
  public init(
    momentum: Double = 0, nesterov: Bool = false, weightDecay: Double = 0, isGuarded: Bool = false
  ) {
    self.momentum = momentum
    self.nesterov = nesterov
    self.weightDecay = weightDecay
    self.isGuarded = isGuarded
  }

  public var traits: Traits { .inPlace }

  /// The types of the parameter and the velocity.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try checkNotNegative(momentum, "momentum")
    try checkNotNegative(weightDecay, "weight decay")
    let roles = ["the parameter", "the gradient"] + (momentum > 0 ? ["the velocity"] : [])
    try checkCount(operands, roles + ["the learning rate"])
    guard !nesterov || momentum > 0 else {
      throw TypeError(self, "Nesterov's rule needs a momentum above 0")
    }
    try checkUpdate(
      tensors: Array(zip(operands, roles)), scalars: [(operands[roles.count], "the learning rate")])
    try checkGuard(operands)
    return momentum > 0 ? [operands[0], operands[2]] : [operands[0]]
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let wide = operands[0].type.with(dtype: operands[0].type.dtype.accumulator)
    let p = try graph.convert(operands[0], to: wide.dtype)
    var g = try scaled(graph.convert(operands[1], to: wide.dtype), by: operands, in: &graph)
    if weightDecay > 0 { g = try graph.add(g, graph.scale(p, weightDecay)) }
    var velocity: Value?
    if momentum > 0 {
      let v = try graph.add(graph.scale(graph.convert(operands[2], to: wide.dtype), momentum), g)
      velocity = try graph.convert(v, to: operands[2].type.dtype)
      g = nesterov ? try graph.add(g, graph.scale(v, momentum)) : v
    }
    let rate = try graph.convert(operands[momentum > 0 ? 3 : 2], to: wide.dtype)
    let step = try graph.multiply(graph.broadcast(rate, to: wide.shape, dimensions: []), g)
    let parameter = try graph.convert(graph.subtract(p, step), to: operands[0].type.dtype)
    let (new, old) = ([parameter] + (velocity.map { [$0] } ?? []), [operands[0]] + operands[2...].prefix(1))
    return try taken(new, or: Array(old.prefix(new.count)), operands, in: &graph)
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let tensors = momentum > 0 ? 3 : 2
    return updateRule(
      rank: operands[0].rank, tensors: tensors, scalars: operands.count - tensors, results: tensors - 1)
  }
}
