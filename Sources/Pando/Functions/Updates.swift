import PandoIR
import PandoOperations

/// One step of stochastic gradient descent, with PyTorch's formulas; see `SGDUpdate`.
///
/// - Parameters:
///   - velocity: the share of past gradients; `nil` where `momentum` is 0.
///   - learningRate: a scalar.
/// - Returns: what parameter and velocity become, of their types.
public func sgdUpdate(
  _ parameter: Tensor, gradient: Tensor, velocity: Tensor?, learningRate: Tensor, momentum: Double,
  nesterov: Bool,
  weightDecay: Double
) -> (parameter: Tensor, velocity: Tensor?) {
  let rule = SGDUpdate(momentum: momentum, nesterov: nesterov, weightDecay: weightDecay)
  let state = velocity.map { [$0] } ?? []
  let results = Tensor.emit(rule, [parameter, gradient] + state + [learningRate], results: 1 + state.count)
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
/// - Returns: what the three tensors become, of their types.
public func adamUpdate(
  _ parameter: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, learningRate: Tensor, step: Tensor,
  beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double, decoupled: Bool
) -> (parameter: Tensor, mean: Tensor, square: Tensor) {
  let rule = AdamUpdate(
    beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay, decoupled: decoupled)
  let results = Tensor.emit(rule, [parameter, gradient, mean, square, learningRate, step], results: 3)
  return (results[0], results[1], results[2])
}
