import Pando

/// Residual network (He et al. 2015, arXiv:1512.03385). Parameters have torchvision's names and initial values.
///
/// Input `[samples, channels, height, width]`, output `[samples, classes]`.
public struct ResNet: Layer {
  /// What stands in front of the first stage.
  public enum Form: String, CaseIterable, Hashable, Sendable {
    /// For small images: a 3×3 convolution, and no pooling.
    case cifar
    /// For large images: a 7×7 convolution of stride 2 and a pooling of stride 2.
    case imageNet
  }

  /// Blocks in each stage, and whether they are bottlenecks, by depth.
  private static let depths: [Int: (blocks: [Int], isBottleneck: Bool)] = [
    18: ([2, 2, 2, 2], false), 34: ([3, 4, 6, 3], false), 50: ([3, 4, 6, 3], true),
    101: ([3, 4, 23, 3], true),
    152: ([3, 8, 36, 3], true),
  ]

  /// The first convolution.
  public let conv1: Conv2d
  /// Behind it.
  public let bn1: BatchNorm2d
  /// The blocks of the first stage.
  public let layer1: [any Layer]
  /// The blocks of the second stage.
  public let layer2: [any Layer]
  /// The blocks of the third stage.
  public let layer3: [any Layer]
  /// The blocks of the last stage.
  public let layer4: [any Layer]
  /// From the last stage's means to the classes.
  public let fc: Linear
  private let pool: MaxPool2d?

  /// A network of a standard depth.
  ///
  /// - Parameters:
  ///   - depth: 18 or 34 (basic blocks), 50, 101 or 152 (bottlenecks).
  ///   - channels: of the images.
  ///   - width: channels of the first stage; each further stage has twice as many.
  /// - Throws: `ModuleError` for another depth.
  public init(
    depth: Int, form: Form, channels: Int = 3, width: Int = 64, classes: Int, file: StaticString = #fileID,
    line: UInt = #line
  ) throws {
    guard let (blocks, isBottleneck) = Self.depths[depth] else {
      let known = Self.depths.keys.sorted().map(String.init).joined(separator: ", ")
      throw ModuleError("there is no residual network of depth \(depth); use one of \(known)")
    }
    switch form {
    case .cifar:
      conv1 = .residual(channels, width, 3, 1, file, line)
      pool = nil
    case .imageNet:
      conv1 = .residual(channels, width, 7, 2, file, line)
      pool = MaxPool2d(kernel: 3, stride: 2, padding: 1, file: file, line: line)
    }
    bn1 = BatchNorm2d(width, file: file, line: line)
    var inputs = width
    func stage(_ index: Int) -> [any Layer] {
      (0..<blocks[index]).map { block in
        let (features, stride) = (width << index, index > 0 && block == 0 ? 2 : 1)
        defer { inputs = features * (isBottleneck ? Bottleneck.expansion : BasicBlock.expansion) }
        if isBottleneck { return Bottleneck(inputs, features, stride: stride, file: file, line: line) }
        return BasicBlock(inputs, features, stride: stride, file: file, line: line)
      }
    }
    (layer1, layer2, layer3, layer4) = (stage(0), stage(1), stage(2), stage(3))
    fc = Linear(inputs, classes, file: file, line: line)
  }

  public func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
    var x = relu(bn1(conv1(x), context))
    if let pool { x = pool(x) }
    for block in layer1 + layer2 + layer3 + layer4 { x = block(x, context) }
    return fc(x.mean([2, 3]))
  }
}
