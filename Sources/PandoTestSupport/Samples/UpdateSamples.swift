import PandoIR
import PandoOperations

extension Samples {
  /// Optimizers' updates.
  static let update: [OperationSample] =
    descents.flatMap { descent($0) } + adams.flatMap { adam($0) } + guarded

  private static let descents = [
    SGDUpdate(), SGDUpdate(weightDecay: 0.1), SGDUpdate(momentum: 0.9),
    SGDUpdate(momentum: 0.9, nesterov: true, weightDecay: 0.1),
  ]

  private static let adams = [
    AdamUpdate(), AdamUpdate(beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weightDecay: 0.1),
    AdamUpdate(beta1: 0, beta2: 0.9, weightDecay: 0.1, decoupled: false),
    AdamUpdate(beta2: 0.9, weightDecay: 0.1, stream: 3),
  ]

  private static let guarded: [OperationSample] = [0, 1].flatMap { taken in
    let descents = [
      SGDUpdate(weightDecay: 0.1, isGuarded: true), SGDUpdate(momentum: 0.9, nesterov: true, isGuarded: true),
    ]
    let adams = [
      AdamUpdate(weightDecay: 0.1, isGuarded: true),
      AdamUpdate(epsilon: 1e-3, weightDecay: 0.1, decoupled: false, isGuarded: true),
      AdamUpdate(decoupled: false, isGuarded: true, stream: 1 << 29),
    ]
    return descents.flatMap { descent($0, taken: taken) } + adams.flatMap { adam($0, taken: taken) }
  }

  /// The gradient's scale, and whether the step is taken.
  private static func guardian(_ taken: Double?) -> [OperationSample.Operand] {
    taken.map { [.exactly([], [0.75]), .exactly([], [$0], .bool)] } ?? []
  }

  private static func descent(_ operation: SGDUpdate, taken: Double? = nil) -> [OperationSample] {
    func sample(_ shape: [Int], _ dtype: DType = .float32, checksGradient: Bool = true) -> OperationSample {
      let tensor = OperationSample.Operand.uniform(shape, -2...2, dtype)
      let tensors = Array(repeating: tensor, count: operation.momentum > 0 ? 3 : 2)
      return OperationSample(
        operation, operands: tensors + [.exactly([], [0.1])] + guardian(taken), checksGradient: checksGradient
      )
    }
    return [
      sample([2, 3]), sample([]), sample([0, 3]), sample([1031], checksGradient: false),
      sample([6], .bfloat16, checksGradient: false),
    ]
  }

  private static func adam(_ operation: AdamUpdate, taken: Double? = nil) -> [OperationSample] {
    // The zeroth power's slope by its exponent is 0 times minus infinity.
    let isSmooth = operation.beta1 > 0 && operation.stream == nil
    let kept: DType = operation.stream == nil ? .float32 : .bfloat16
    let key: [OperationSample.Operand] = operation.stream == nil ? [] : [.exactly([2], [-7, 5], .int64)]
    func sample(
      _ shape: [Int], step: Double, _ dtype: DType = .float32, checksGradient: Bool = true
    ) -> OperationSample {
      OperationSample(
        operation,
        operands: [
          .uniform(shape, -2...2, dtype), .uniform(shape, -2...2, dtype), .uniform(shape, -2...2, kept),
          .uniform(shape, 0.1...1, kept), .exactly([], [0.01]), .exactly([], [step]),
        ] + guardian(taken) + key, checksGradient: checksGradient && isSmooth)
    }
    return [
      sample([2, 3], step: 1), sample([], step: 3), sample([0, 3], step: 2),
      sample([1031], step: 1000, checksGradient: false),
      sample([100_003], step: 2, checksGradient: false),
      // Parameters in 16 bits, moments in 32.
      sample([6], step: 7, .bfloat16, checksGradient: false),
    ]
  }
}
