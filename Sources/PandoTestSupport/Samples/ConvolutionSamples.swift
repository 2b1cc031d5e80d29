import PandoIR
import PandoOperations

extension Samples {
  /// Convolutions and their gradients.
  static let convolution: [OperationSample] =
    smallConvolutions + convolutionTypes + gradients + unrounded + larger

  private static let smallConvolutions: [OperationSample] = [
    OperationSample(Convolution(plain(1)), .uniform([2, 3, 7]), .uniform([4, 3, 3])),
    OperationSample(Convolution(plain(2)), .uniform([2, 2, 5, 6]), .uniform([4, 2, 3, 2])),
    OperationSample(Convolution(plain(3)), .uniform([1, 2, 3, 4, 3]), .uniform([2, 2, 2, 3, 2])),
    OperationSample(
      Convolution(ConvolutionWindow(spatial: 2, stride: 2, padding: 1)), .uniform([2, 3, 5, 6]),
      .uniform([2, 3, 3, 3])),
    OperationSample(
      Convolution(ConvolutionWindow(spatial: 2, padding: 2, dilation: 2)), .uniform([1, 2, 6, 5]),
      .uniform([2, 2, 3, 3])),
    OperationSample(
      Convolution(ConvolutionWindow(strides: [2, 1], low: [0, 2], high: [3, 1], dilation: [1, 3])),
      .uniform([2, 2, 4, 5]), .uniform([2, 2, 2, 3])),
    OperationSample(
      Convolution(ConvolutionWindow(strides: [3], low: [2], high: [0], dilation: [2], groups: 2)),
      .uniform([2, 4, 9]), .uniform([6, 2, 3])),
    OperationSample(
      Convolution(ConvolutionWindow(spatial: 2, padding: 1, groups: 2)), .uniform([1, 4, 4, 3]),
      .uniform([6, 2, 3, 3])),
    OperationSample(
      Convolution(ConvolutionWindow(spatial: 2, padding: 1, groups: 4)), .uniform([2, 4, 4, 4]),
      .uniform([4, 1, 3, 3])),
    OperationSample(
      Convolution(ConvolutionWindow(spatial: 2, stride: 2, groups: 2)), .uniform([1, 2, 4, 4]),
      .uniform([6, 1, 2, 2])),
    OperationSample(Convolution(plain(2)), .uniform([2, 6, 3, 2]), .uniform([4, 6, 1, 1])),
    OperationSample(
      Convolution(ConvolutionWindow(spatial: 2, stride: 2)), .uniform([2, 4, 3, 4]), .uniform([2, 4, 1, 1])),
    OperationSample(Convolution(plain(2)), .uniform([2, 1, 3, 4]), .uniform([2, 1, 3, 4])),
    OperationSample(
      Convolution(ConvolutionWindow(spatial: 2, padding: 3)), .uniform([1, 1, 1, 1]), .uniform([1, 1, 2, 2])),
    OperationSample(
      Convolution(ConvolutionWindow(spatial: 1, padding: 1)), .uniform([1, 2, 0]), .uniform([2, 2, 2])),
    OperationSample(Convolution(plain(2)), .uniform([0, 3, 4, 4]), .uniform([2, 3, 3, 3])),
    OperationSample(Convolution(plain(2)), .uniform([2, 0, 4, 4]), .uniform([2, 0, 3, 3])),
    OperationSample(Convolution(plain(2)), .uniform([2, 3, 4, 4]), .uniform([0, 3, 3, 3])),
  ]

  private static let convolutionTypes: [OperationSample] = [DType.float64, .bfloat16, .float16].flatMap {
    dtype in
    [
      OperationSample(
        Convolution(ConvolutionWindow(spatial: 2, stride: 2, padding: 1, groups: 2)),
        .uniform([2, 4, 5, 6], -2...2, dtype), .uniform([6, 2, 3, 3], -2...2, dtype)),
      OperationSample(
        Convolution(ConvolutionWindow(strides: [2], low: [0], high: [3], dilation: [2])),
        .uniform([2, 3, 8], -2...2, dtype), .uniform([4, 3, 3], -2...2, dtype)),
    ]
  }

  private static let gradients: [OperationSample] = [
    OperationSample(
      ConvolutionInputGradient(ConvolutionWindow(spatial: 1, stride: 2), input: [6]), .uniform([2, 2, 2]),
      .uniform([2, 3, 3])),
    OperationSample(
      ConvolutionInputGradient(ConvolutionWindow(spatial: 2, stride: 2, padding: 1), input: [6, 5]),
      .uniform([2, 4, 3, 3]), .uniform([4, 2, 3, 3])),
    OperationSample(
      ConvolutionInputGradient(ConvolutionWindow(spatial: 2, padding: 3), input: [2, 2]),
      .uniform([1, 2, 6, 6]),
      .uniform([2, 2, 3, 3])),
    OperationSample(
      ConvolutionInputGradient(
        ConvolutionWindow(strides: [3, 1], low: [1, 0], high: [0, 4], dilation: [1, 2], groups: 2),
        input: [7, 4]),
      .uniform([2, 4, 3, 4], -2...2, .float64), .uniform([4, 1, 2, 3], -2...2, .float64)),
    OperationSample(
      ConvolutionInputGradient(plain(2), input: [4, 4]), .uniform([2, 0, 2, 2]), .uniform([0, 3, 3, 3])),
    OperationSample(
      ConvolutionInputGradient(ConvolutionWindow(spatial: 2, stride: 2), input: [4, 6]),
      .uniform([2, 3, 2, 3], -2...2, .bfloat16), .uniform([3, 2, 2, 2], -2...2, .bfloat16)),
    OperationSample(
      ConvolutionWeightGradient(ConvolutionWindow(spatial: 1, padding: 1, groups: 2), kernel: [3]),
      .uniform([2, 4, 5]), .uniform([2, 6, 5])),
    OperationSample(
      ConvolutionWeightGradient(ConvolutionWindow(spatial: 2, stride: 2, padding: 1), kernel: [3, 2]),
      .uniform([2, 2, 5, 6]), .uniform([2, 4, 3, 4])),
    OperationSample(
      ConvolutionWeightGradient(
        ConvolutionWindow(strides: [1, 2], low: [2, 0], high: [0, 1], dilation: [2, 1]), kernel: [2, 3]),
      .uniform([2, 2, 3, 6], -2...2, .float16), .uniform([2, 2, 3, 3], -2...2, .float16)),
    OperationSample(
      ConvolutionWeightGradient(plain(2), kernel: [3, 3]), .uniform([0, 3, 4, 4]), .uniform([0, 2, 2, 2])),
  ]

  /// Gradients of weights whose sums are handed out in float32.
  private static let unrounded: [OperationSample] = [DType.bfloat16, .float16].flatMap { dtype in
    [
      (padded(2), [2, 3, 8, 8], [16, 8, 8], [3, 3]), (padded(2), [2, 17, 9, 7], [19, 9, 7], [3, 3]),
      (ConvolutionWindow(spatial: 2, stride: 2), [2, 32, 12, 12], [64, 6, 6], [1, 1]),
      (ConvolutionWindow(spatial: 1, padding: 1, groups: 2), [2, 4, 5], [6, 5], [3]),
    ].map { window, x, y, kernel in
      OperationSample(
        ConvolutionWeightGradient(window, kernel: kernel, dtype: .float32), .uniform(x, -2...2, dtype),
        .uniform([x[0]] + y, -2...2, dtype), checksGradient: false)
    }
  }

  /// Sizes at which the vectorised code paths run: few and many channels, odd ones, all three products.
  private static let larger: [OperationSample] =
    products(padded(2), [3, 1, 14, 14], [16, 1, 3, 3], [14, 14])
    + products(padded(2), [2, 3, 16, 16], [32, 3, 3, 3], [16, 16])
    + products(padded(2), [2, 32, 12, 12], [48, 32, 3, 3], [12, 12])
    + products(padded(2), [4, 33, 16, 15], [32, 33, 3, 3], [16, 15])
    + products(padded(2), [2, 17, 9, 7], [19, 17, 3, 3], [9, 7])
    + products(
      ConvolutionWindow(spatial: 2, stride: 2, padding: 1), [2, 32, 12, 12], [32, 32, 3, 3], [6, 6])
    + products(ConvolutionWindow(spatial: 2, stride: 2), [2, 32, 12, 12], [64, 32, 1, 1], [6, 6])
    + products(
      ConvolutionWindow(spatial: 2, padding: 1, groups: 32), [2, 32, 12, 12], [32, 1, 3, 3], [12, 12])
    + products(ConvolutionWindow(spatial: 2, padding: 1, groups: 4), [2, 32, 8, 8], [64, 8, 3, 3], [8, 8])
    + products(ConvolutionWindow(spatial: 1, padding: 2, dilation: 2), [2, 33, 65], [35, 33, 3], [65])
    + products(padded(3), [1, 8, 5, 6, 7], [16, 8, 3, 3, 3], [5, 6, 7])

  private static func products(
    _ window: ConvolutionWindow, _ x: [Int], _ w: [Int], _ output: [Int]
  ) -> [OperationSample] {
    let y = [x[0], w[0]] + output
    return [
      OperationSample(Convolution(window), .uniform(x), .uniform(w), checksGradient: false),
      OperationSample(
        ConvolutionInputGradient(window, input: Array(x.dropFirst(2))), .uniform(y), .uniform(w),
        checksGradient: false),
      OperationSample(
        ConvolutionWeightGradient(window, kernel: Array(w.dropFirst(2))), .uniform(x), .uniform(y),
        checksGradient: false),
    ]
  }

  private static func plain(_ spatial: Int) -> ConvolutionWindow { ConvolutionWindow(spatial: spatial) }
  private static func padded(_ spatial: Int) -> ConvolutionWindow {
    ConvolutionWindow(spatial: spatial, padding: 1)
  }
}
