import PandoIR
import PandoOperations

extension Samples {
  /// Operations that train with noise.
  static let regularization: [OperationSample] = [
    OperationSample(Dropout(probability: 0.3, stream: 0), .uniform([3, 7]), key),
    OperationSample(Dropout(probability: 0, stream: 1), .uniform([5]), key),
    OperationSample(Dropout(probability: 1, stream: 1), .uniform([5]), key),
    OperationSample(Dropout(probability: 0.5, stream: 2), .uniform([0, 3]), key),
    OperationSample(Dropout(probability: 0.1, stream: 3), .uniform([37, 65]), key, checksGradient: false),
    OperationSample(
      Dropout(probability: 0.1, stream: 3), .uniform([9], -2...2, .bfloat16), key, checksGradient: false),
  ]

  private static let key = OperationSample.Operand.exactly([2], [12_345_678_901, 42], .int64)
}
