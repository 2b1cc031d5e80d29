import PandoOptimizers

extension Recipe.Optimizer {
  /// The update rule that the recipe names.
  func makeOptimizer() -> any PandoOptimizers.Optimizer {
    switch rule {
    case .sgd(let sgd):
      PandoOptimizers.SGD(momentum: sgd.momentum, nesterov: sgd.nesterov, weightDecay: sgd.weightDecay)
    case .adam(let adam):
      PandoOptimizers.Adam(
        beta1: adam.beta1, beta2: adam.beta2, epsilon: adam.epsilon, weightDecay: adam.weightDecay,
        keepsBFloat16: adam.state == .bf16)
    case .adamw(let adam):
      PandoOptimizers.AdamW(
        beta1: adam.beta1, beta2: adam.beta2, epsilon: adam.epsilon, weightDecay: adam.weightDecay,
        keepsBFloat16: adam.state == .bf16)
    }
  }
}
