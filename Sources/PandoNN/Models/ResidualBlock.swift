import Pando

/// Two 3×3 convolutions around a short cut (He et al. 2015, arXiv:1512.03385, figure 5 left). Parameters have
/// torchvision's names.
public struct BasicBlock: Layer {
  /// Output channels, as multiples of the block's width.
  static let expansion = 1

  /// 3×3, with the block's stride.
  public let conv1: Conv2d
  /// Behind `conv1`.
  public let bn1: BatchNorm2d
  /// 3×3.
  public let conv2: Conv2d
  /// Behind `conv2`.
  public let bn2: BatchNorm2d
  /// On the short cut, where the shape changes.
  public let downsample: Sequential?

  /// A block from `inputs` to `width` channels.
  public init(
    _ inputs: Int, _ width: Int, stride: Int = 1, file: StaticString = #fileID, line: UInt = #line
  ) {
    conv1 = .residual(inputs, width, 3, stride, file, line)
    bn1 = BatchNorm2d(width, file: file, line: line)
    conv2 = .residual(width, width, 3, 1, file, line)
    bn2 = BatchNorm2d(width, file: file, line: line)
    downsample = shortCut(inputs, width, stride, file, line)
  }

  public func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
    let y = relu(bn1(conv1(x), context))
    return relu(bn2(conv2(y), context) + (downsample?(x, context) ?? x))
  }
}

/// A 3×3 convolution between two of 1×1 around a short cut (He et al. 2015, figure 5 right); the stride is at the 3×3
/// convolution, as in torchvision, whose names the parameters have.
public struct Bottleneck: Layer {
  /// Output channels, as multiples of the block's width.
  static let expansion = 4

  /// 1×1, to the block's width.
  public let conv1: Conv2d
  /// Behind `conv1`.
  public let bn1: BatchNorm2d
  /// 3×3, with the block's stride.
  public let conv2: Conv2d
  /// Behind `conv2`.
  public let bn2: BatchNorm2d
  /// 1×1, to four times the width.
  public let conv3: Conv2d
  /// Behind `conv3`.
  public let bn3: BatchNorm2d
  /// On the short cut, where the shape changes.
  public let downsample: Sequential?

  /// A block from `inputs` to 4 · `width` channels.
  public init(
    _ inputs: Int, _ width: Int, stride: Int = 1, file: StaticString = #fileID, line: UInt = #line
  ) {
    conv1 = .residual(inputs, width, 1, 1, file, line)
    bn1 = BatchNorm2d(width, file: file, line: line)
    conv2 = .residual(width, width, 3, stride, file, line)
    bn2 = BatchNorm2d(width, file: file, line: line)
    conv3 = .residual(width, width * Self.expansion, 1, 1, file, line)
    bn3 = BatchNorm2d(width * Self.expansion, file: file, line: line)
    downsample = shortCut(inputs, width * Self.expansion, stride, file, line)
  }

  public func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
    let y = relu(bn2(conv2(relu(bn1(conv1(x), context))), context))
    return relu(bn3(conv3(y), context) + (downsample?(x, context) ?? x))
  }
}

private func shortCut(
  _ inputs: Int, _ outputs: Int, _ stride: Int, _ file: StaticString, _ line: UInt
) -> Sequential? {
  guard stride != 1 || inputs != outputs else { return nil }
  return Sequential(
    Conv2d.residual(inputs, outputs, 1, stride, file, line), BatchNorm2d(outputs, file: file, line: line))
}

extension Conv2d {
  /// A convolution that keeps the size but for its stride, without a bias because a norm follows; its weights begin as
  /// torchvision's, Kaiming normal by fan-out.
  static func residual(
    _ inputs: Int, _ outputs: Int, _ kernel: Int, _ stride: Int, _ file: StaticString, _ line: UInt
  ) -> Conv2d {
    Conv2d(
      inputs, outputs, kernel: Pair(kernel), stride: Pair(stride), padding: Pair(kernel / 2), bias: false,
      initializer: .kaimingNormal(fan: outputs * kernel * kernel), file: file, line: line)
  }
}
