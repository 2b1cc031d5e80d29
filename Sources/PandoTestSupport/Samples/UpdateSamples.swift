import PandoIR
import PandoOperations

extension Samples {
  /// Optimizers' updates.
  static let update: [OperationSample] =
    descent(SGDUpdate()) + descent(SGDUpdate(weightDecay: 0.1)) + descent(SGDUpdate(momentum: 0.9))
    + descent(SGDUpdate(momentum: 0.9, nesterov: true, weightDecay: 0.1))
    + adam(AdamUpdate())
    + adam(AdamUpdate(beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weightDecay: 0.1))
    + adam(AdamUpdate(beta1: 0, beta2: 0.9, weightDecay: 0.1, decoupled: false))

  private static func descent(_ operation: SGDUpdate) -> [OperationSample] {
    func sample(_ shape: [Int], _ dtype: DType = .float32, checksGradient: Bool = true) -> OperationSample {
      let tensor = OperationSample.Operand.uniform(shape, -2...2, dtype)
      let tensors = Array(repeating: tensor, count: operation.momentum > 0 ? 3 : 2)
      return OperationSample(
        operation, operands: tensors + [.exactly([], [0.1])], checksGradient: checksGradient)
    }
    return [
      sample([2, 3]), sample([]), sample([0, 3]), sample([1031], checksGradient: false),
      sample([6], .bfloat16, checksGradient: false),
    ]
  }

  private static func adam(_ operation: AdamUpdate) -> [OperationSample] {
    // The zeroth power's slope by its exponent is 0 times minus infinity.
    let isSmooth = operation.beta1 > 0
    func sample(
      _ shape: [Int], step: Double, _ dtype: DType = .float32, checksGradient: Bool = true
    ) -> OperationSample {
      OperationSample(
        operation, .uniform(shape, -2...2, dtype), .uniform(shape, -2...2, dtype), .uniform(shape),
        .uniform(shape, 0.1...1), .exactly([], [0.01]), .exactly([], [step]),
        checksGradient: checksGradient && isSmooth)
    }
    return [
      sample([2, 3], step: 1), sample([], step: 3), sample([0, 3], step: 2),
      sample([1031], step: 1000, checksGradient: false),
      // Parameters in 16 bits, moments in 32.
      sample([6], step: 7, .bfloat16, checksGradient: false),
    ]
  }
}
