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
  let window = Window(
    "conv1d", [weight.size(2)], strides: [stride], padding: [padding], dilations: [dilation], file, line)
  return window.convolve(x, weight, bias, groups: groups)
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
  let window = Window(
    "conv2d", [weight.size(2), weight.size(3)], strides: stride.array, padding: padding.array,
    dilations: dilation.array, file, line)
  return window.convolve(x, weight, bias, groups: groups)
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
  // Zeros between the elements undo the stride, the window turns round, and inputs and outputs change places.
  let edge = (0..<2).map { dilation.array[$0] * (kernel[$0] - 1) - padding.array[$0] }
  let spread = Tensor.emit(
    Pad(
      low: [0, 0] + edge, high: [0, 0] + (0..<2).map { edge[$0] + outputPadding.array[$0] },
      interior: [0, 0] + stride.array.map { $0 - 1 }), [x, Tensor(0, dtype: x.dtype)], file: file, line: line)
  let (inputs, outputs) = (weight.size(0) / groups, weight.size(1))
  let turned = Tensor.emit(Reverse([2, 3]), [weight], file: file, line: line)
    .reshape([groups, inputs, outputs] + kernel).transpose(1, 2).reshape([groups * outputs, inputs] + kernel)
  let window = Window(
    "conv_transpose2d", kernel, strides: [1, 1], padding: [0, 0], dilations: dilation.array, file, line)
  return window.convolve(spread, turned, bias, groups: groups)
}

/// The largest element of each window: PyTorch's `F.max_pool2d`.
///
/// - Parameters:
///   - x: `[samples, channels, height, width]`
///   - stride: places between neighbouring windows; they follow on each other unless it is given.
///   - padding: at most half the kernel; padded places are never the largest.
/// - Returns: `[samples, channels, height', width']`, sizes as for `conv1d`.
public func maxPool2d(
  _ x: Tensor, kernel: Pair, stride: Pair? = nil, padding: Pair = 0, dilation: Pair = 1,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  let window = Window(
    "max_pool2d", kernel.array, strides: (stride ?? kernel).array, padding: padding.array,
    dilations: dilation.array, file, line)
  return window.combine(x, padding: -.infinity) { maximum($0, $1) }
}

/// The mean of each window: PyTorch's `F.avg_pool2d`.
///
/// - Parameters:
///   - x: `[samples, channels, height, width]`
///   - stride: places between neighbouring windows; they follow on each other unless it is given.
///   - padding: zeros around the image, at most half the kernel.
///   - countsPadding: whether padded places count in the mean.
/// - Returns: `[samples, channels, height', width']`, sizes as for `conv1d`.
public func avgPool2d(
  _ x: Tensor, kernel: Pair, stride: Pair? = nil, padding: Pair = 0, countsPadding: Bool = true,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  let window = Window(
    "avg_pool2d", kernel.array, strides: (stride ?? kernel).array, padding: padding.array, dilations: [1, 1],
    file,
    line)
  let sum = window.combine(x, padding: 0) { $0 + $1 }
  guard !countsPadding, sum.failure == nil else { return sum / Double(kernel.height * kernel.width) }
  return sum / window.combine(.ones([1, 1] + x.shape.suffix(2), dtype: x.dtype), padding: 0) { $0 + $1 }
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
  guard x.failure == nil, x.rank == 4, output.array.allSatisfy({ $0 > 0 }), x.type.count > 0 else {
    return .failed(
      "adaptive_avg_pool2d", "takes [samples, channels, height, width] to at least one place, got \(x.type)",
      like: x, file: file, line: line)
  }
  return zip([2, 3], output.array).reduce(x) { x, direction in
    let (dimension, count) = direction
    let size = x.size(dimension)
    let means = (0..<count).map { index in
      x.slice(dimension, index * size / count..<((index + 1) * size + count - 1) / count)
        .mean([dimension], keepDimensions: true)
    }
    return concatenate(means, dimension, file: file, line: line)
  }
}

/// A window that moves over the dimensions behind the first two.
private struct Window {
  let name: String
  let kernel, strides, padding, dilations: [Int]
  let file: StaticString
  let line: UInt

  init(
    _ name: String, _ kernel: [Int], strides: [Int], padding: [Int], dilations: [Int], _ file: StaticString,
    _ line: UInt
  ) {
    self.name = name
    self.kernel = kernel
    self.strides = strides
    self.padding = padding
    self.dilations = dilations
    self.file = file
    self.line = line
  }

  /// How many places the window has along each direction; `nil` where it does not fit.
  private func places(_ x: Tensor) -> [Int]? {
    guard x.rank == kernel.count + 2, (strides + dilations + kernel).allSatisfy({ $0 > 0 }) else {
      return nil
    }
    var places: [Int] = []
    for direction in kernel.indices {
      let room =
        x.size(direction + 2) + 2 * padding[direction] - dilations[direction] * (kernel[direction] - 1) - 1
      guard room >= 0, padding[direction] >= 0 else { return nil }
      places.append(room / strides[direction] + 1)
    }
    return places
  }

  private func failure(_ message: String, like other: Tensor) -> Tensor {
    .failed(name, message, like: other, file: file, line: line)
  }

  /// For each place in the window, the elements that it meets.
  private func views(_ x: Tensor, _ places: [Int], padding value: Double) -> [(
    offset: [Int], elements: Tensor
  )] {
    let around = [0, 0] + padding
    let padded =
      padding.allSatisfy { $0 == 0 }
      ? x
      : Tensor.emit(
        Pad(low: around, high: around, interior: around.map { _ in 0 }), [x, Tensor(value, dtype: x.dtype)],
        file: file, line: line)
    var offsets: [[Int]] = [[]]
    for size in kernel { offsets = offsets.flatMap { offset in (0..<size).map { offset + [$0] } } }
    return offsets.map { offset in
      let starts = zip(offset, dilations).map { $0 * $1 }
      let limits = kernel.indices.map { starts[$0] + (places[$0] - 1) * strides[$0] + 1 }
      let slice = Slice(
        starts: [0, 0] + starts, limits: x.shape.prefix(2) + limits, strides: [1, 1] + strides)
      return (offset, .emit(slice, [padded], file: file, line: line))
    }
  }

  func combine(_ x: Tensor, padding value: Double, _ function: (Tensor, Tensor) -> Tensor) -> Tensor {
    if x.failure != nil { return x }
    guard let places = places(x), zip(padding, kernel).allSatisfy({ 2 * $0 <= $1 }) else {
      return failure(
        "a window of \(kernel) with stride \(strides), padding \(padding) and dilation \(dilations) does not fit "
          + "\(x.type), which must be [samples, channels] and as many directions", like: x)
    }
    let views = views(x, places, padding: value)
    return views.dropFirst().reduce(views[0].elements) { function($0, $1.elements) }
  }

  func convolve(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, groups: Int) -> Tensor {
    if x.failure != nil { return x }
    guard weight.rank == x.rank, groups > 0, x.size(1) == weight.size(1) * groups,
      weight.size(0).isMultiple(of: groups)
    else {
      return failure(
        "the weight \(weight.type) takes \(weight.size(1) * groups) channels in the second dimension, got \(x.type)",
        like: weight)
    }
    guard let places = places(x) else {
      return failure(
        "a kernel of \(kernel) with stride \(strides), padding \(padding) and dilation \(dilations) does not fit "
          + "\(x.type)", like: weight)
    }
    let directions = ShardingRule.labels(kernel.count)
    let labels = "xyz\(directions),ywz->xyw\(directions)"
    let (inputs, outputs) = (weight.size(1), weight.size(0) / groups)
    var y: Tensor?
    for (offset, elements) in views(x, places, padding: 0) {
      let part = Slice(
        starts: [0, 0] + offset, limits: weight.shape.prefix(2) + offset.map { $0 + 1 },
        strides: weight.shape.map { _ in 1 })
      let factor = Tensor.emit(part, [weight], file: file, line: line).reshape([groups, outputs, inputs])
      let grouped = elements.reshape([x.size(0), groups, inputs] + places)
      let term = Tensor.emit(Contraction(labels), [grouped, factor], file: file, line: line)
      y = y.map { $0 + term } ?? term
    }
    let result = (y ?? x).reshape([x.size(0), weight.size(0)] + places)
    guard let bias else { return result }
    return result + bias.reshape([bias.type.count] + kernel.map { _ in 1 })
  }
}
