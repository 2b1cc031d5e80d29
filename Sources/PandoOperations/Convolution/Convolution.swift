import PandoIR

/// Moves a kernel over an input and sums the products, for each sample and output channel over all input channels of its
/// group.
///
/// Operands: x [N, C, spatial…] and w [O, C / groups, kernel…]; result: y [N, O, spatial…]. The kernel is not turned
/// round (cross-correlation), as in PyTorch's `F.conv2d`.
public struct Convolution: Operation {
  public static let name = "convolution"
  public static let operandCount: Int? = 2

  /// How the kernel moves.
  public let window: ConvolutionWindow

  /// A convolution by `window`.
  public init(_ window: ConvolutionWindow) { self.window = window }

  public var precision: PrecisionRule { .low }

  /// The type of y; along each spatial dimension it has ⌊(input + low + high - dilation (kernel - 1) - 1) / stride⌋ + 1
  /// elements.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [try ConvolutionTypes(self, window, x: operands[0], w: operands[1]).y]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (x, w, dy) = (operands[0], operands[1], cotangents[0])
    return [
      try graph.emit(ConvolutionInputGradient(window, input: Array(x.type.shape.dropFirst(2))), dy, w),
      try graph.emit(ConvolutionWeightGradient(window, kernel: Array(w.type.shape.dropFirst(2))), x, dy),
    ]
  }

  /// Split input channels leave partial sums. Spatial dimensions stay whole, and with groups the channels too.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = ConvolutionTypes.labels(window)
    return ShardingRule(
      operands: [labels.x, labels.w], results: [labels.y], whole: labels.whole, linear: [[0], [1]])
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    guard let types = try? ConvolutionTypes(self, window, x: operands[0], w: operands[1]) else {
      return Cost(flops: 0, operands: operands, results: results)
    }
    return types.cost(operands, results, kind: window.costKind)
  }
}
