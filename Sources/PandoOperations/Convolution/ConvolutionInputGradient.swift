import PandoIR

/// The gradient of `Convolution` by its input; on its own, a transposed convolution (PyTorch's `F.conv_transpose2d`).
///
/// Operands: dy [N, O, spatial…] and w [O, C / groups, kernel…]; result: dx [N, C, spatial…].
public struct ConvolutionInputGradient: Operation {
  public static let name = "convolution_input_gradient"
  public static let operandCount: Int? = 2

  /// As in the convolution.
  public let window: ConvolutionWindow
  /// The spatial sizes of dx, several of which may lead to the same dy where a stride leaves elements over.
  public let input: [Int]

  /// The gradient of a convolution by `window` of an input of spatial sizes `input`.
  public init(_ window: ConvolutionWindow, input: [Int]) {
    self.window = window
    self.input = input
  }

  public var precision: PrecisionRule { .low }

  /// The type of dx.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [try types(operands).x]
  }

  private func types(_ operands: [TensorType]) throws(TypeError) -> ConvolutionTypes {
    let (dy, w) = (operands[0], operands[1])
    try window.check(self)
    try window.check(dy, "dy", self)
    try window.check(w, "w", self)
    guard input.count == window.spatial, input.allSatisfy({ $0 >= 0 }) else {
      throw TypeError(
        self, "input \(input) must have one size for each of \(window.spatial) spatial dimensions")
    }
    let (channels, overflow) = w.shape[1].multipliedReportingOverflow(by: window.groups)
    let x = dy.with(shape: [dy.shape[0], channels] + input)
    guard !overflow, x.isValid else { throw TypeError(self, "dx \(x) is too large") }
    return try ConvolutionTypes(self, window, x: x, w: w, y: dy)
  }

  /// It is linear in both operands: the gradient by dy is the convolution itself.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (dy, w, t) = (operands[0], operands[1], cotangents[0])
    return [
      try graph.emit(Convolution(window), t, w),
      try graph.emit(ConvolutionWeightGradient(window, kernel: Array(w.type.shape.dropFirst(2))), t, dy),
    ]
  }

  /// Split output channels leave partial sums.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = ConvolutionTypes.labels(window)
    return ShardingRule(
      operands: [labels.y, labels.w], results: [labels.x], whole: labels.whole, linear: [[0], [1]])
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    (try? types(operands))?.cost(operands, results, kind: window.costKind)
      ?? Cost(flops: 0, operands: operands, results: results)
  }
}
