import PandoIR
import PandoOperations

extension Samples {
  /// Functions between layers, and softmax.
  static let activation: [OperationSample] = pointwise + kinks + clips + softmaxes

  private static let pointwise: [OperationSample] =
    unary(ReLU()) + unary(LeakyReLU(slope: 0.1)) + unary(ELU(alpha: 1.5)) + unary(Softplus())
    + unary(SiLU()) + unary(GELU()) + unary(GELU(approximation: .tanh))
    + gradient(SiLUGradient()) + gradient(GELUGradient()) + gradient(GELUGradient(approximation: .tanh))

  private static func unary(_ operation: any Operation) -> [OperationSample] {
    [
      OperationSample(operation, .awayFromZero([3, 7])),
      OperationSample(operation, .uniform([2, 9], -3...3, .bfloat16), checksGradient: false),
      OperationSample(operation, .uniform([5], -3...3, .float16), checksGradient: false),
      OperationSample(operation, .uniform([0, 3])),
      OperationSample(operation, .uniform([1031], -9...9), checksGradient: false),
      OperationSample(operation, .exactly([5], [0, -0.0, 60, -60, .nan]), checksGradient: false),
    ]
  }

  private static func gradient(_ operation: any Operation) -> [OperationSample] {
    [
      OperationSample(operation, .uniform([3, 7]), .uniform([3, 7])),
      OperationSample(operation, .uniform([9], -3...3, .bfloat16), .uniform([9], -3...3, .bfloat16)),
      OperationSample(operation, .uniform([1031], -9...9), .uniform([1031]), checksGradient: false),
    ]
  }

  private static let kinks: [OperationSample] = [
    OperationSample(ReLU(), .exactly([3], [.infinity, -.infinity, 1e-38]), checksGradient: false),
    OperationSample(Softplus(), .exactly([4], [1e4, -1e4, 20, -20]), checksGradient: false),
    OperationSample(ELU(), .exactly([3], [1e4, -1e4, -1e-6]), checksGradient: false),
  ]

  private static let clips: [OperationSample] = [
    OperationSample(Clip(minimum: -0.55, maximum: 0.75), .awayFromZero([3, 7])),
    OperationSample(Clip(minimum: nil, maximum: 0.75), .awayFromZero([5])),
    OperationSample(Clip(minimum: -0.55, maximum: nil), .awayFromZero([5])),
    OperationSample(Clip(minimum: -1, maximum: 1), .uniform([9], -3...3, .bfloat16), checksGradient: false),
    OperationSample(Clip(minimum: -3, maximum: 4), .uniform([9], -9...9, .int32)),
    OperationSample(
      Clip(minimum: 0, maximum: 1), .exactly([3], [.nan, .infinity, -0.0]), checksGradient: false),
  ]

  private static let softmaxes: [OperationSample] =
    softmax([2, 3, 4], 0) + softmax([2, 3, 4], 1) + softmax([2, 3, 4], 2) + softmax([0, 5], 1)
    + softmax([4, 1000], 1, checksGradient: false) + softmax([37, 65], 1, checksGradient: false)
    + softmax([2, 19, 33], 1, checksGradient: false) + softmax([7, 1], 1) + softmax([5], 0)
    + softmaxEdges

  private static func softmax(
    _ shape: [Int], _ dimension: Int, checksGradient: Bool = true
  ) -> [OperationSample] {
    let range = checksGradient ? -2.0...2.0 : -9.0...9.0
    return [
      OperationSample(
        Softmax(dimension: dimension), .uniform(shape, range), checksGradient: checksGradient),
      OperationSample(
        LogSoftmax(dimension: dimension), .uniform(shape, range), checksGradient: checksGradient),
      OperationSample(
        SoftmaxGradient(dimension: dimension), .uniform(shape, 0...1), .uniform(shape),
        checksGradient: checksGradient),
      OperationSample(
        LogSoftmaxGradient(dimension: dimension), .uniform(shape, -3...0), .uniform(shape),
        checksGradient: checksGradient),
    ]
  }

  private static let softmaxEdges: [OperationSample] = [
    OperationSample(
      Softmax(dimension: 1), .exactly([3, 2], [1e4, 1e4, -.infinity, 2, .nan, 1]), checksGradient: false),
    OperationSample(
      LogSoftmax(dimension: 1), .exactly([3, 2], [1e4, -1e4, -.infinity, 2, .nan, 1]),
      checksGradient: false),
    OperationSample(Softmax(dimension: 1), .uniform([3, 70], -9...9, .bfloat16), checksGradient: false),
    OperationSample(LogSoftmax(dimension: 1), .uniform([3, 70], -9...9, .bfloat16), checksGradient: false),
    OperationSample(
      SoftmaxGradient(dimension: 1), .uniform([3, 70], 0...0.1, .bfloat16),
      .uniform([3, 70], -2...2, .bfloat16), checksGradient: false),
    OperationSample(Softmax(dimension: 0), .uniform([9], -9...9, .float16), checksGradient: false),
  ]
}

extension OperationSample.Operand {
  /// Values from -3 to 3 in a mixed order, none nearer to 0, -0.55 or 0.75 than finite differences reach.
  fileprivate static func awayFromZero(_ shape: [Int]) -> Self {
    let count = shape.reduce(1, *)
    return .exactly(shape, (0..<count).map { 0.29 * Double(($0 * 8) % 21 - 10) + 0.1 })
  }
}
