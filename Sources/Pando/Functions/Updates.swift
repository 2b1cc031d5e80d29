import PandoIR
import PandoOperations

/// What decides over a step of any optimizer, without a sweep over memory of its own.
public struct UpdateGuard: Sendable {
  /// By what gradients are multiplied: a floating-point scalar.
  public let gradientScale: Tensor
  /// Whether the step is taken, a bool scalar; if not, everything keeps its old value.
  public let accepted: Tensor

  /// A guard from its parts.
  public init(gradientScale: Tensor, accepted: Tensor) {
    self.gradientScale = gradientScale
    self.accepted = accepted
  }

  fileprivate var operands: [Tensor] { [gradientScale, accepted] }
}

/// The random numbers that round an optimizer's state where it is kept in 16 bits.
public struct UpdateDraw: Sendable {
  /// Seed and step, `int64[2]`.
  public let key: Tensor
  /// A number from 0 to 2³⁰ - 1 that nothing else with this key uses.
  public let stream: Int

  /// Numbers of a stream.
  public init(key: Tensor, stream: Int) {
    self.key = key
    self.stream = stream
  }
}

/// One step of stochastic gradient descent, with PyTorch's formulas; see `SGDUpdate`.
///
/// - Parameters:
///   - velocity: the share of past gradients; `nil` where `momentum` is 0.
///   - learningRate: a scalar.
///   - guardian: the gradient's scale, and whether the step is taken.
/// - Returns: what parameter and velocity become, of their types.
public func sgdUpdate(
  _ parameter: Tensor, gradient: Tensor, velocity: Tensor?, learningRate: Tensor, momentum: Double,
  nesterov: Bool,
  weightDecay: Double, guardedBy guardian: UpdateGuard? = nil
) -> (parameter: Tensor, velocity: Tensor?) {
  let rule = SGDUpdate(
    momentum: momentum, nesterov: nesterov, weightDecay: weightDecay, isGuarded: guardian != nil)
  let state = velocity.map { [$0] } ?? []
  let results = Tensor.emit(
    rule, [parameter, gradient] + state + [learningRate] + (guardian?.operands ?? []),
    results: 1 + state.count)
  return (results[0], velocity == nil ? nil : results[1])
}

/// One step of Adam, with PyTorch's formulas; see `AdamUpdate`.
///
/// - Parameters:
///   - mean: the running mean of the gradient.
///   - square: the running mean of its square.
///   - learningRate: a scalar.
///   - step: a scalar, 1 for the first step.
///   - decoupled: whether weight decay acts on the parameter (AdamW) and not through the gradient.
///   - guardian: the gradient's scale, and whether the step is taken.
///   - draw: where `mean` and `square` are bfloat16, what rounds them at random; without, they are rounded to the
///     nearest, and a falling `square` stands still.
/// - Returns: what the three tensors become, of their types.
public func adamUpdate(
  _ parameter: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, learningRate: Tensor, step: Tensor,
  beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double, decoupled: Bool,
  guardedBy guardian: UpdateGuard? = nil, roundedBy draw: UpdateDraw? = nil
) -> (parameter: Tensor, mean: Tensor, square: Tensor) {
  let rule = AdamUpdate(
    beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay, decoupled: decoupled,
    isGuarded: guardian != nil, stream: draw?.stream)
  let scalars = [learningRate, step] + (guardian?.operands ?? [])
  let results = Tensor.emit(
    rule, [parameter, gradient, mean, square] + scalars + (draw.map { [$0.key] } ?? []), results: 3)
  return (results[0], results[1], results[2])
}
