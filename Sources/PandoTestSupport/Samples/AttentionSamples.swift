import PandoIR
import PandoOperations

extension Samples {
  /// Attention, its gradient and rotary positions.
  static let attention: [OperationSample] = small + large + rotations

  private static let small: [OperationSample] =
    attention([2, 2, 3, 4], heads: 2, keys: 3, causal: false)
    + attention([2, 2, 3, 4], heads: 2, keys: 3, causal: true)
    + attention([1, 4, 2, 3], heads: 2, keys: 5, causal: true, scale: 0.7)
    + attention([2, 4, 4, 2], heads: 1, keys: 2, causal: false)
    + attention([2, 1, 1, 1], heads: 1, keys: 1, causal: true)
    + attention([0, 1, 2, 3], heads: 1, keys: 2, causal: true)

  private static let large: [OperationSample] =
    attention([2, 4, 33, 16], heads: 2, keys: 33, causal: true, checksGradient: false)
    + attention([2, 4, 33, 16], heads: 2, keys: 33, causal: false, checksGradient: false)
    + attention([1, 2, 130, 16], heads: 1, keys: 130, causal: true, checksGradient: false)
    + attention([1, 2, 17, 64], heads: 2, keys: 130, causal: true, checksGradient: false)
    + attention([2, 2, 9, 16], heads: 1, keys: 9, causal: true, .bfloat16, checksGradient: false)
    + attention([1, 4, 65, 64], heads: 2, keys: 131, causal: true, .bfloat16, checksGradient: false)
    + attention([1, 2, 130, 48], heads: 2, keys: 67, causal: false, .bfloat16, checksGradient: false)
    + attention([1, 1, 1, 32], heads: 1, keys: 1, causal: true, .bfloat16, checksGradient: false)
    + attention([2, 2, 17, 24], heads: 1, keys: 19, causal: true, .bfloat16, checksGradient: false)
    + attention([0, 2, 17, 16], heads: 1, keys: 19, causal: true, .bfloat16, checksGradient: false)

  /// The forward operation, and its gradient at a result and logarithm that need not belong to the operands.
  private static func attention(
    _ q: [Int], heads: Int, keys: Int, causal: Bool, scale: Double? = nil, _ dtype: DType = .float32,
    checksGradient: Bool = true
  ) -> [OperationSample] {
    let k = OperationSample.Operand.uniform([q[0], heads, keys, q[3]], -2...2, dtype)
    let query = OperationSample.Operand.uniform(q, -2...2, dtype)
    // Above every logarithm of a sum of scores, so that the weights stay below 1.
    let logarithm = OperationSample.Operand.uniform(Array(q.dropLast()), 6...7)
    return [
      OperationSample(
        Attention(causal: causal, scale: scale), query, k, k, checksGradient: checksGradient),
      OperationSample(
        AttentionGradient(causal: causal, scale: scale), query, k, k, query, logarithm, query,
        checksGradient: checksGradient),
    ]
  }

  private static let rotations: [OperationSample] = [
    OperationSample(RotaryEmbedding(), .uniform([2, 2, 3, 4])),
    OperationSample(RotaryEmbedding(base: 100, offset: 5, inverse: true), .uniform([2, 1, 3, 6])),
    OperationSample(RotaryEmbedding(), .uniform([4, 2])),
    OperationSample(RotaryEmbedding(), .uniform([0, 4, 2])),
    OperationSample(RotaryEmbedding(), .uniform([2, 2, 33, 16]), checksGradient: false),
    OperationSample(RotaryEmbedding(offset: 1000), .uniform([1, 2, 130, 64]), checksGradient: false),
    OperationSample(RotaryEmbedding(), .uniform([2, 2, 3, 8], -2...2, .bfloat16), checksGradient: false),
  ]
}
