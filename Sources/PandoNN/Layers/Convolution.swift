import Pando

/// A convolution over a sequence. PyTorch: `nn.Conv1d`.
///
/// Input `[samples, inputs, length]`, output `[samples, outputs, length']` with
/// length' = (length + 2 padding - dilation (kernel - 1) - 1) / stride + 1, rounded down.
public struct Conv1d: PureLayer {
  /// `[outputs, inputs / groups, kernel]`
  public let weight: Parameter
  /// `[outputs]`
  public let bias: Parameter?
  private let options: (stride: Int, padding: Int, dilation: Int, groups: Int)
  private let site: Site

  /// A convolution from `inputs` to `outputs` channels.
  ///
  /// - Parameters:
  ///   - groups: parts into which inputs and outputs are divided, each convolved on its own.
  ///   - initializer: how the weight begins, the bias then beginning as zeros; by default both are PyTorch's.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1,
    groups: Int = 1,
    bias: Bool = true, initializer: Initializer? = nil, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    (weight, self.bias) = Parameter.convolution(
      [outputs, inputs / max(1, groups), kernel], outputs: outputs, divided: [inputs, outputs],
      groups: groups,
      bias: bias, initializer: initializer, dtype: dtype)
    options = (stride, padding, dilation, groups)
    site = Site(file, line)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    conv1d(
      x, weight.tensor, bias?.tensor, stride: options.stride, padding: options.padding,
      dilation: options.dilation,
      groups: options.groups, file: site.file, line: site.line)
  }
}

/// A convolution over images. PyTorch: `nn.Conv2d`.
///
/// Input `[samples, inputs, height, width]`, output `[samples, outputs, height', width']`, sizes as for `Conv1d`.
public struct Conv2d: PureLayer {
  /// `[outputs, inputs / groups, kernel height, kernel width]`
  public let weight: Parameter
  /// `[outputs]`
  public let bias: Parameter?
  private let options: (stride: Pair, padding: Pair, dilation: Pair, groups: Int)
  private let site: Site

  /// A convolution from `inputs` to `outputs` channels.
  ///
  /// - Parameters:
  ///   - groups: parts into which inputs and outputs are divided, each convolved on its own.
  ///   - initializer: how the weight begins, the bias then beginning as zeros; by default both are PyTorch's.
  ///   - growth: how many times as many channels there are as in a base model.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Pair, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1,
    groups: Int = 1, bias: Bool = true, initializer: Initializer? = nil,
    growth: WidthGrowth = .none, dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    (weight, self.bias) = Parameter.convolution(
      [outputs, inputs / max(1, groups)] + kernel.array, outputs: outputs, divided: [inputs, outputs],
      groups: groups, bias: bias, initializer: initializer, growth: growth, dtype: dtype)
    options = (stride, padding, dilation, groups)
    site = Site(file, line)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    conv2d(
      x, weight.tensor, bias?.tensor, stride: options.stride, padding: options.padding,
      dilation: options.dilation,
      groups: options.groups, file: site.file, line: site.line)
  }
}

/// The gradient of a convolution as a layer of its own, which makes images larger. PyTorch: `nn.ConvTranspose2d`.
///
/// Input `[samples, inputs, height, width]`, output `[samples, outputs, height', width']` with
/// height' = (height - 1) stride - 2 padding + dilation (kernel - 1) + outputPadding + 1.
public struct ConvTranspose2d: PureLayer {
  /// `[inputs, outputs / groups, kernel height, kernel width]`
  public let weight: Parameter
  /// `[outputs]`
  public let bias: Parameter?
  private let options: (stride: Pair, padding: Pair, outputPadding: Pair, dilation: Pair, groups: Int)
  private let site: Site

  /// A transposed convolution from `inputs` to `outputs` channels.
  ///
  /// - Parameters:
  ///   - outputPadding: rows and columns added at the lower and right edge: a stride of 2 leads to the same size from
  ///     two sizes, and this says which of them to return to.
  ///   - initializer: how the weight begins, the bias then beginning as zeros; by default both are PyTorch's.
  public init(
    _ inputs: Int, _ outputs: Int, kernel: Pair, stride: Pair = 1, padding: Pair = 0, outputPadding: Pair = 0,
    dilation: Pair = 1, groups: Int = 1, bias: Bool = true, initializer: Initializer? = nil,
    dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    (weight, self.bias) = Parameter.convolution(
      [inputs, outputs / max(1, groups)] + kernel.array, outputs: outputs, divided: [inputs, outputs],
      groups: groups, bias: bias, initializer: initializer, dtype: dtype)
    options = (stride, padding, outputPadding, dilation, groups)
    site = Site(file, line)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    convTranspose2d(
      x, weight.tensor, bias?.tensor, stride: options.stride, padding: options.padding,
      outputPadding: options.outputPadding, dilation: options.dilation, groups: options.groups,
      file: site.file,
      line: site.line)
  }
}

extension Parameter {
  /// Weight and bias of a convolution. PyTorch takes the second size of the weight times the kernel as fan-in, for
  /// transposed convolutions too.
  fileprivate static func convolution(
    _ shape: [Int], outputs: Int, divided: [Int], groups: Int, bias: Bool, initializer: Initializer?,
    growth: WidthGrowth = .none, dtype: DType
  ) -> (Parameter, Parameter?) {
    precondition(
      groups > 0 && divided.allSatisfy { $0.isMultiple(of: groups) },
      "\(groups) groups do not divide \(divided[0]) inputs and \(divided[1]) outputs")
    precondition(shape.allSatisfy { $0 > 0 }, "a convolution's weight of shape \(shape) has no elements")
    let fanIn = shape.dropFirst().reduce(1, *)
    let weight = Parameter(shape, initializer ?? .fanIn(fanIn), growth: growth, dtype: dtype)
    guard bias else { return (weight, nil) }
    let start = initializer == nil ? Initializer.fanIn(fanIn) : .zeros
    return (weight, Parameter([outputs], start, role: .unregularized, growth: growth.bias, dtype: dtype))
  }
}
