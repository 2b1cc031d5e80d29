import Pando
import PandoNN

/// Stochastic gradient descent, with PyTorch's formulas: `torch.optim.SGD` without dampening.
///
/// With g the gradient plus `weightDecay` times the parameter: the velocity becomes `momentum` velocity + g, and the
/// parameter falls by the learning rate times the velocity, or with Nesterov's rule times g + `momentum` velocity
/// (Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning").
public struct SGD: Optimizer {
  public let name = "sgd"
  /// The share of the velocity that stays; 0 for none.
  public let momentum: Double
  /// Whether the step looks ahead by Nesterov's rule.
  public let nesterov: Bool
  /// The share of the parameter that is added to the gradient.
  public let weightDecay: Double

  /// A rule; Nesterov's needs a momentum above 0.
  public init(momentum: Double = 0, nesterov: Bool = false, weightDecay: Double = 0) {
    self.momentum = momentum
    self.nesterov = nesterov
    self.weightDecay = weightDecay
  }

  public func adapted(to growth: WidthGrowth) -> (rule: any Optimizer, rateFactor: Double) {
    let factor = growth.gradientRate
    return (SGD(momentum: momentum, nesterov: nesterov, weightDecay: weightDecay / factor), factor)
  }

  public func slots(for type: TensorType) -> [(name: String, type: TensorType)] {
    momentum == 0 ? [] : [("momentum_buffer", type.with(dtype: type.dtype.accumulator))]
  }

  public func update(
    parameter: Tensor, gradient: Tensor, state: [Tensor], learningRate: Tensor, step: Tensor, decays: Bool,
    guardedBy guardian: UpdateGuard?, roundedBy draw: UpdateDraw?
  ) -> (parameter: Tensor, state: [Tensor]) {
    let new = sgdUpdate(
      parameter, gradient: gradient, velocity: state.first, learningRate: learningRate, momentum: momentum,
      nesterov: nesterov, weightDecay: decays ? weightDecay : 0, guardedBy: guardian)
    return (new.parameter, new.velocity.map { [$0] } ?? [])
  }
}
