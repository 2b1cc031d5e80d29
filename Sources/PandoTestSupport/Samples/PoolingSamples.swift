import PandoIR
import PandoOperations

extension Samples {
  /// Poolings and their gradients. Elements are distinct where the largest decides, so that there is a gradient.
  static let pooling: [OperationSample] = maxima + sums + means

  private static let overlapping = PoolingWindow(size: [3, 2], strides: [2, 1], low: [1, 0], high: [1, 1])

  private static let dilated = PoolingWindow(
    size: [2, 3], strides: [1, 2], low: [1, 0], high: [2, 1], dilation: [3, 2])

  private static let maxima: [OperationSample] = [
    OperationSample(MaxPool(PoolingWindow(size: [2])), .distinct([2, 3, 7], times: 0.1)),
    OperationSample(MaxPool(PoolingWindow(size: [2, 2])), .distinct([2, 3, 4, 6], times: 0.1)),
    OperationSample(MaxPool(overlapping), .distinct([2, 2, 5, 4], times: -0.1)),
    OperationSample(
      MaxPool(PoolingWindow(size: [3], strides: [1], low: [2], high: [2])), .distinct([1, 2, 1], times: -0.1)),
    OperationSample(MaxPool(dilated), .distinct([2, 2, 4, 6], times: 0.1)),
    OperationSample(
      MaxPool(PoolingWindow(size: [2], strides: [1], low: [1], high: [1], dilation: [3])),
      .distinct([1, 2, 2], times: 0.1),
      checksGradient: false),
    OperationSample(MaxPool(PoolingWindow(size: [2], strides: [3])), .distinct([1, 2, 9], times: 0.1)),
    OperationSample(MaxPool(PoolingWindow(size: [2, 2])), .uniform([0, 3, 4, 4])),
    OperationSample(
      MaxPool(PoolingWindow(size: [2, 2], strides: [1, 1])),
      .exactly([1, 1, 2, 4], [1, .nan, -.infinity, -.infinity, 3, 2, -.infinity, -.infinity]),
      checksGradient: false),
    OperationSample(MaxPool(overlapping), .distinct([2, 2, 5, 4], times: 0.125, .float64)),
    OperationSample(MaxPool(overlapping), .distinct([2, 2, 5, 4], times: 0.125, .bfloat16)),
    OperationSample(MaxPool(overlapping), .distinct([2, 2, 5, 4], times: 0.125, .float16)),
    OperationSample(
      MaxPool(PoolingWindow(size: [3, 3], strides: [2, 2], low: [1, 1], high: [1, 1])),
      .uniform([2, 5, 33, 67]),
      checksGradient: false),
    OperationSample(MaxPool(PoolingWindow(size: [2, 2])), .uniform([3, 8, 28, 28]), checksGradient: false),
    OperationSample(
      MaxPoolGradient(overlapping), .distinct([2, 2, 5, 4], times: 0.1), .uniform([2, 2, 3, 4])),
    OperationSample(
      MaxPoolGradient(overlapping), .distinct([2, 2, 5, 4], times: 0.125, .bfloat16),
      .uniform([2, 2, 3, 4], -2...2, .bfloat16)),
    OperationSample(
      MaxPoolGradient(PoolingWindow(size: [3, 3], strides: [2, 2], low: [1, 1], high: [1, 1])),
      .distinct([2, 5, 33, 67]), .uniform([2, 5, 17, 34]), checksGradient: false),
    OperationSample(MaxPoolGradient(dilated), .distinct([2, 2, 4, 6], times: 0.1), .uniform([2, 2, 4, 2])),
    OperationSample(
      MaxPoolSelect(overlapping), .distinct([2, 2, 5, 4], times: 0.1), .uniform([2, 2, 5, 4])),
    OperationSample(
      MaxPoolSelect(PoolingWindow(size: [2], strides: [1], low: [1], high: [1], dilation: [3])),
      .distinct([1, 2, 2]),
      .uniform([1, 2, 2])),
    OperationSample(
      MaxPoolSelect(overlapping), .distinct([2, 2, 5, 4], times: 0.125, .float16),
      .uniform([2, 2, 5, 4], -2...2, .float16)),
    OperationSample(
      MaxPoolSelect(PoolingWindow(size: [2, 3], strides: [1, 2])), .distinct([2, 5, 17, 35]),
      .uniform([2, 5, 17, 35]), checksGradient: false),
  ]

  private static let sums: [OperationSample] = [
    OperationSample(SumPool(PoolingWindow(size: [3])), .uniform([2, 2, 8])),
    OperationSample(SumPool(PoolingWindow(size: [2, 2])), .uniform([2, 3, 4, 6])),
    OperationSample(SumPool(overlapping), .uniform([2, 2, 5, 4])),
    OperationSample(SumPool(overlapping), .uniform([2, 2, 5, 4], -2...2, .float64)),
    OperationSample(SumPool(overlapping), .uniform([2, 2, 5, 4], -2...2, .bfloat16)),
    OperationSample(SumPool(PoolingWindow(size: [2])), .uniform([2, 0, 4])),
    OperationSample(SumPool(dilated), .uniform([2, 2, 4, 6])),
    OperationSample(
      SumPool(PoolingWindow(size: [3, 3], strides: [2, 2], low: [1, 1], high: [1, 1])),
      .uniform([2, 5, 33, 67]),
      checksGradient: false),
    OperationSample(SumPoolGradient(PoolingWindow(size: [3]), input: [8]), .uniform([2, 2, 2])),
    OperationSample(SumPoolGradient(overlapping, input: [5, 4]), .uniform([2, 2, 3, 4])),
    OperationSample(SumPoolGradient(overlapping, input: [6, 4]), .uniform([2, 2, 3, 4], -2...2, .float16)),
    OperationSample(
      SumPoolGradient(
        PoolingWindow(size: [3, 3], strides: [2, 2], low: [1, 1], high: [1, 1]), input: [33, 67]),
      .uniform([2, 5, 17, 34]), checksGradient: false),
  ]

  private static let means: [OperationSample] = [
    OperationSample(AveragePool(PoolingWindow(size: [2, 2])), .uniform([2, 3, 4, 6])),
    OperationSample(AveragePool(overlapping), .uniform([2, 2, 5, 4])),
    OperationSample(AveragePool(overlapping, countsPadding: false), .uniform([2, 2, 5, 4])),
    OperationSample(AveragePool(dilated, countsPadding: false), .uniform([2, 2, 4, 6])),
    OperationSample(
      AveragePool(overlapping, countsPadding: false), .uniform([2, 2, 5, 4], -2...2, .bfloat16)),
    OperationSample(
      AveragePool(PoolingWindow(size: [3], strides: [2], low: [1], high: [2]), countsPadding: false),
      .uniform([2, 2, 6])),
    OperationSample(AdaptiveAveragePool(output: [1, 1]), .uniform([2, 4, 3, 5])),
    OperationSample(AdaptiveAveragePool(output: [2, 3]), .uniform([2, 2, 4, 6])),
    OperationSample(AdaptiveAveragePool(output: [3, 5]), .uniform([2, 2, 5, 5])),
    OperationSample(AdaptiveAveragePool(output: [5]), .uniform([2, 2, 3], -2...2, .float64)),
    OperationSample(AdaptiveAveragePool(output: [3, 2]), .uniform([2, 2, 5, 4], -2...2, .bfloat16)),
    OperationSample(AdaptiveAveragePool(output: [7, 7]), .uniform([2, 9, 17, 30]), checksGradient: false),
  ]
}
