import Pando

/// The largest element of each window. PyTorch: `nn.MaxPool2d`.
///
/// Input `[samples, channels, height, width]`; sizes change as in a convolution.
public struct MaxPool2d: PureLayer {
  private let options: (kernel: Pair, stride: Pair, padding: Pair, dilation: Pair)
  private let site: Site

  /// Windows of `kernel`, which follow on each other unless a stride is given.
  public init(
    kernel: Pair, stride: Pair? = nil, padding: Pair = 0, dilation: Pair = 1, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    options = (kernel, stride ?? kernel, padding, dilation)
    site = Site(file, line)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    maxPool2d(
      x, kernel: options.kernel, stride: options.stride, padding: options.padding, dilation: options.dilation,
      file: site.file, line: site.line)
  }
}

/// The mean of each window. PyTorch: `nn.AvgPool2d`.
///
/// Input `[samples, channels, height, width]`; sizes change as in a convolution.
public struct AvgPool2d: PureLayer {
  private let options: (kernel: Pair, stride: Pair, padding: Pair, countsPadding: Bool)
  private let site: Site

  /// Windows of `kernel`, which follow on each other unless a stride is given.
  ///
  /// - Parameter countsPadding: whether padding counts as zeros in the mean; PyTorch's `count_include_pad`.
  public init(
    kernel: Pair, stride: Pair? = nil, padding: Pair = 0, countsPadding: Bool = true,
    file: StaticString = #fileID,
    line: UInt = #line
  ) {
    options = (kernel, stride ?? kernel, padding, countsPadding)
    site = Site(file, line)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    avgPool2d(
      x, kernel: options.kernel, stride: options.stride, padding: options.padding,
      countsPadding: options.countsPadding, file: site.file, line: site.line)
  }
}

/// Means over as many windows as the output has places, of sizes as equal as possible. PyTorch:
/// `nn.AdaptiveAvgPool2d`.
///
/// Input `[samples, channels, height, width]`, output `[samples, channels] + output`.
public struct AdaptiveAvgPool2d: PureLayer {
  private let output: Pair
  private let site: Site

  /// A pooling to images of size `output`.
  public init(_ output: Pair, file: StaticString = #fileID, line: UInt = #line) {
    self.output = output
    site = Site(file, line)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    adaptiveAvgPool2d(x, output, file: site.file, line: site.line)
  }
}
