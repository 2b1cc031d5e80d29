import Pando
import PandoNN

/// Adam (Kingma and Ba 2014, arXiv:1412.6980), with PyTorch's formulas: `torch.optim.Adam`. Weight decay is added to
/// the gradient.
public struct Adam: Optimizer {
  public let name = "adam"
  /// The share of the gradient's running mean that stays.
  public let beta1: Double
  /// The share of the squared gradient's running mean that stays.
  public let beta2: Double
  /// Added to the denominator.
  public let epsilon: Double
  /// The share of the parameter that is added to the gradient.
  public let weightDecay: Double
  /// Whether the two running means are kept in bfloat16, rounded at random, and not in float32; see `AdamUpdate`.
  public let keepsBFloat16: Bool

  /// A rule with the paper's constants unless told otherwise.
  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0,
    keepsBFloat16: Bool = false
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.keepsBFloat16 = keepsBFloat16
  }

  public func adapted(to growth: WidthGrowth) -> (rule: any Optimizer, rateFactor: Double) {
    let factor = growth.adaptiveRate
    let rule = Adam(
      beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay / factor,
      keepsBFloat16: keepsBFloat16)
    return (rule, factor)
  }

  public func slots(for type: TensorType) -> [(name: String, type: TensorType)] {
    adamSlots(type, keepsBFloat16)
  }

  public func update(
    parameter: Tensor, gradient: Tensor, state: [Tensor], learningRate: Tensor, step: Tensor, decays: Bool,
    guardedBy guardian: UpdateGuard?, roundedBy draw: UpdateDraw?
  ) -> (parameter: Tensor, state: [Tensor]) {
    let new = adamUpdate(
      parameter, gradient: gradient, mean: state[0], square: state[1], learningRate: learningRate, step: step,
      beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: decays ? weightDecay : 0, decoupled: false,
      guardedBy: guardian, roundedBy: keepsBFloat16 ? draw : nil)
    return (new.parameter, [new.mean, new.square])
  }
}

/// Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv:1711.05101), with PyTorch's formulas:
/// `torch.optim.AdamW`. Each step first shrinks the parameter by the learning rate times the weight decay.
public struct AdamW: Optimizer {
  public let name = "adamw"
  /// The share of the gradient's running mean that stays.
  public let beta1: Double
  /// The share of the squared gradient's running mean that stays.
  public let beta2: Double
  /// Added to the denominator.
  public let epsilon: Double
  /// The share of the parameter that a step takes away, times the learning rate.
  public let weightDecay: Double
  /// Whether the two running means are kept in bfloat16, rounded at random, and not in float32; see `AdamUpdate`.
  public let keepsBFloat16: Bool

  /// A rule with PyTorch's constants unless told otherwise.
  public init(
    beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0.01,
    keepsBFloat16: Bool = false
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.keepsBFloat16 = keepsBFloat16
  }

  public func adapted(to growth: WidthGrowth) -> (rule: any Optimizer, rateFactor: Double) {
    let factor = growth.adaptiveRate
    let rule = AdamW(
      beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay / factor,
      keepsBFloat16: keepsBFloat16)
    return (rule, factor)
  }

  public func slots(for type: TensorType) -> [(name: String, type: TensorType)] {
    adamSlots(type, keepsBFloat16)
  }

  public func update(
    parameter: Tensor, gradient: Tensor, state: [Tensor], learningRate: Tensor, step: Tensor, decays: Bool,
    guardedBy guardian: UpdateGuard?, roundedBy draw: UpdateDraw?
  ) -> (parameter: Tensor, state: [Tensor]) {
    let new = adamUpdate(
      parameter, gradient: gradient, mean: state[0], square: state[1], learningRate: learningRate, step: step,
      beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: decays ? weightDecay : 0, decoupled: true,
      guardedBy: guardian, roundedBy: keepsBFloat16 ? draw : nil)
    return (new.parameter, [new.mean, new.square])
  }
}

private func adamSlots(_ type: TensorType, _ keepsBFloat16: Bool) -> [(name: String, type: TensorType)] {
  let kept = type.with(dtype: keepsBFloat16 ? .bfloat16 : type.dtype.accumulator)
  return [("exp_avg", kept), ("exp_avg_sq", kept)]
}
