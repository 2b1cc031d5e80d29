import PandoIR
import PandoOperations

/// Moves a window of weights over a sequence: PyTorch's `F.conv1d`.
///
/// - Parameters:
///   - x: `[samples, inputs, length]`
///   - weight: `[outputs, inputs / groups, kernel]`
///   - bias: `[outputs]`
///   - stride: places between neighbouring windows.
///   - padding: zeros in front of and behind the input.
///   - dilation: places between neighbouring elements of a window.
///   - groups: parts into which inputs and outputs are divided, each convolved on its own.
/// - Returns: `[samples, outputs, (length + 2 padding - dilation (kernel - 1) - 1) / stride + 1]`
public func conv1d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, dilation: Int = 1,
  groups: Int = 1, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  convolve(
    x, weight, bias,
    ConvolutionWindow(
      strides: [stride], low: [padding], high: [padding], dilation: [dilation], groups: groups), file,
    line)
}

/// Moves a window of weights over images: PyTorch's `F.conv2d`.
///
/// - Parameters:
///   - x: `[samples, inputs, height, width]`
///   - weight: `[outputs, inputs / groups, kernel height, kernel width]`
///   - bias: `[outputs]`
/// - Returns: `[samples, outputs, height', width']`; sizes and the other parameters are as for `conv1d`.
public func conv2d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Pair = 1, padding: Pair = 0,
  dilation: Pair = 1,
  groups: Int = 1, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  convolve(
    x, weight, bias,
    ConvolutionWindow(
      strides: stride.array, low: padding.array, high: padding.array, dilation: dilation.array, groups: groups
    ),
    file, line)
}

private func convolve(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ window: ConvolutionWindow, _ file: StaticString,
  _ line: UInt
) -> Tensor {
  shifted(.emit(Convolution(window), [x, weight], file: file, line: line), bias)
}

/// Adds a number to each channel.
private func shifted(_ y: Tensor, _ bias: Tensor?) -> Tensor {
  guard let bias else { return y }
  return y + bias.reshape([bias.type.count] + Array(repeating: 1, count: max(0, y.rank - 2)))
}

/// The gradient of `conv2d` by its input as a function of its own, which makes images larger: PyTorch's
/// `F.conv_transpose2d`.
///
/// - Parameters:
///   - x: `[samples, inputs, height, width]`
///   - weight: `[inputs, outputs / groups, kernel height, kernel width]`
///   - bias: `[outputs]`
///   - outputPadding: rows and columns added at the lower and right edge.
/// - Returns: `[samples, outputs, height', width']` with
///   height' = (height - 1) stride - 2 padding + dilation (kernel - 1) + outputPadding + 1.
public func convTranspose2d(
  _ x: Tensor, _ weight: Tensor, _ bias: Tensor? = nil, stride: Pair = 1, padding: Pair = 0,
  outputPadding: Pair = 0,
  dilation: Pair = 1, groups: Int = 1, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  if x.failure != nil { return x }
  let kernel = [weight.size(2), weight.size(3)]
  guard x.rank == 4, weight.rank == 4, groups > 0, x.size(1) == weight.size(0),
    x.size(1).isMultiple(of: groups)
  else {
    return .failed(
      "conv_transpose2d",
      "the weight \(weight.type) takes [samples, \(weight.size(0)), height, width] in \(groups) groups, got \(x.type)",
      like: weight, file: file, line: line)
  }
  // More rows than a stride leaves over take the place of padding, and are zeros beyond it.
  let spare = (0..<2).map { max(0, outputPadding.array[$0] - (stride.array[$0] - 1)) }
  let beyond = (0..<2).map { max(0, spare[$0] - padding.array[$0]) }
  let sizes = (0..<2).map { direction in
    (x.size(direction + 2) - 1) * stride.array[direction] - 2 * padding.array[direction]
      + dilation.array[direction] * (kernel[direction] - 1) + outputPadding.array[direction] + 1
      - beyond[direction]
  }
  let window = ConvolutionWindow(
    strides: stride.array, low: padding.array, high: (0..<2).map { max(0, padding.array[$0] - spare[$0]) },
    dilation: dilation.array, groups: groups)
  let y = Tensor.emit(ConvolutionInputGradient(window, input: sizes), [x, weight], file: file, line: line)
  guard beyond != [0, 0] else { return shifted(y, bias) }
  let pad = Pad(low: [0, 0, 0, 0], high: [0, 0] + beyond, interior: [0, 0, 0, 0])
  return shifted(.emit(pad, [y, Tensor(0, dtype: x.dtype)], file: file, line: line), bias)
}

/// The largest element of each window: PyTorch's `F.max_pool2d`.
///
/// - Parameters:
///   - x: `[samples, channels, height, width]`
///   - stride: places between neighbouring windows; they follow on each other unless it is given.
///   - padding: less than the window reaches; padded places are never the largest.
/// - Returns: `[samples, channels, height', width']`, sizes as for `conv1d`.
public func maxPool2d(
  _ x: Tensor, kernel: Pair, stride: Pair? = nil, padding: Pair = 0, dilation: Pair = 1,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  let window = PoolingWindow(
    size: kernel.array, strides: (stride ?? kernel).array, low: padding.array, high: padding.array,
    dilation: dilation.array)
  return .emit(MaxPool(window), [x], file: file, line: line)
}

/// The mean of each window: PyTorch's `F.avg_pool2d`.
///
/// - Parameters:
///   - x: `[samples, channels, height, width]`
///   - stride: places between neighbouring windows; they follow on each other unless it is given.
///   - padding: zeros around the image, less than the kernel.
///   - countsPadding: whether padded places count in the mean.
/// - Returns: `[samples, channels, height', width']`, sizes as for `conv1d`.
public func avgPool2d(
  _ x: Tensor, kernel: Pair, stride: Pair? = nil, padding: Pair = 0, countsPadding: Bool = true,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  let window = PoolingWindow(
    size: kernel.array, strides: (stride ?? kernel).array, low: padding.array, high: padding.array)
  return .emit(AveragePool(window, countsPadding: countsPadding), [x], file: file, line: line)
}

/// Means over as many windows as the output has places: PyTorch's `F.adaptive_avg_pool2d`. Window i of n begins at
/// place ⌊i · size / n⌋ and ends before ⌈(i + 1) · size / n⌉.
///
/// - Parameters:
///   - x: `[samples, channels, height, width]`
///   - output: how many windows there are along each direction.
/// - Returns: `[samples, channels] + output`
public func adaptiveAvgPool2d(
  _ x: Tensor, _ output: Pair, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  .emit(AdaptiveAveragePool(output: output.array), [x], file: file, line: line)
}
