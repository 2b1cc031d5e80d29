import PandoIR
import PandoOperations

extension Samples {
  /// Losses and their gradients.
  static let loss: [OperationSample] =
    crossEntropy(CrossEntropy(), [4, 5])
    + crossEntropy(CrossEntropy(labelSmoothing: 0.1), [4, 5], .int64)
    + crossEntropy(CrossEntropy(labelSmoothing: 0.2, ignoredLabel: 2), [6, 3])
    + crossEntropy(CrossEntropy(), [3, 1]) + crossEntropy(CrossEntropy(), [0, 3])
    + crossEntropy(CrossEntropy(), [37, 65], checksGradient: false)
    + crossEntropy(CrossEntropy(labelSmoothing: 0.1, ignoredLabel: 7), [5, 1000], checksGradient: false)
    + crossEntropy(CrossEntropy(), [6, 33], floating: .bfloat16, checksGradient: false)
    + badLabels

  private static func crossEntropy(
    _ operation: CrossEntropy, _ shape: [Int], _ label: DType = .int32, floating: DType = .float32,
    checksGradient: Bool = true
  ) -> [OperationSample] {
    let gradient = CrossEntropyGradient(
      labelSmoothing: operation.labelSmoothing, ignoredLabel: operation.ignoredLabel)
    let logits = OperationSample.Operand.uniform(shape, checksGradient ? -2...2 : -9...9, floating)
    let labels = OperationSample.Operand.exactly(
      [shape[0]], (0..<shape[0]).map { Double(($0 * 5 + 2) % shape[1]) }, label)
    // Above every logarithm of a sum, so that the probabilities stay below 1.
    let logarithm = OperationSample.Operand.uniform([shape[0]], checksGradient ? 3...4 : 16...17)
    return [
      OperationSample(operation, logits, labels, checksGradient: checksGradient),
      OperationSample(
        gradient, logits, labels, logarithm, .uniform([shape[0]]), checksGradient: checksGradient),
    ]
  }

  /// Labels outside the classes, logits that mask a class, and logits far apart.
  private static let badLabels: [OperationSample] = [
    OperationSample(
      CrossEntropy(ignoredLabel: -100), .uniform([4, 3]), .exactly([4], [-100, -1, 3, 1], .int32),
      checksGradient: false),
    OperationSample(
      CrossEntropyGradient(ignoredLabel: -100), .uniform([4, 3]),
      .exactly([4], [-100, -1, 3, 1], .int64), .uniform([4], 2...3), .uniform([4]), checksGradient: false),
    OperationSample(
      CrossEntropy(), .exactly([2, 3], [-.infinity, 1, 2, 1e4, -1e4, 0]), .exactly([2], [1, 1], .int32),
      checksGradient: false),
  ]
}
