import PandoIR

/// The gradient of `Convolution` by its weight.
///
/// Operands: x [N, C, spatial…] and dy [N, O, spatial…]; result: dw [O, C / groups, kernel…].
public struct ConvolutionWeightGradient: Accumulating {
  public static let name = "convolution_weight_gradient"
  public static let operandCount: Int? = 2

  /// As in the convolution.
  public let window: ConvolutionWindow
  /// The spatial sizes of dw.
  public let kernel: [Int]
  public let resultDType: DType?

  /// The gradient of a convolution by `window` with a kernel of spatial sizes `kernel`.
  ///
  /// - Parameter dtype: the result's element type, either the operands' (as for `nil`) or their accumulator's.
  public init(_ window: ConvolutionWindow, kernel: [Int], dtype: DType? = nil) {
    self.window = window
    self.kernel = kernel
    resultDType = dtype
  }

  public var precision: PrecisionRule { .low }

  public func accumulating(in dtype: DType) -> ConvolutionWeightGradient? {
    ConvolutionWeightGradient(window, kernel: kernel, dtype: dtype)
  }

  /// The type of dw.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [try types(operands).w.with(dtype: accumulatedDType(operands[0]))]
  }

  private func types(_ operands: [TensorType]) throws(TypeError) -> ConvolutionTypes {
    let (x, dy) = (operands[0], operands[1])
    try window.check(self)
    try window.check(x, "x", self)
    try window.check(dy, "dy", self)
    guard kernel.count == window.spatial, kernel.allSatisfy({ $0 > 0 }) else {
      throw TypeError(
        self, "kernel \(kernel) must have one size for each of \(window.spatial) spatial dimensions")
    }
    guard x.shape[1].isMultiple(of: window.groups) else {
      throw TypeError(
        self, "the \(x.shape[1]) channels of x \(x) must be a multiple of \(window.groups) groups")
    }
    let w = x.with(shape: [dy.shape[1], x.shape[1] / window.groups] + kernel)
    guard w.isValid else { throw TypeError(self, "dw \(w) is too large") }
    return try ConvolutionTypes(self, window, x: x, w: w, y: dy)
  }

  /// It is linear in both operands: the gradient by dy is the convolution itself.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (x, dy) = (operands[0], operands[1])
    let t = try graph.convert(cotangents[0], to: x.type.dtype)
    return [
      try graph.emit(ConvolutionInputGradient(window, input: Array(x.type.shape.dropFirst(2))), dy, t),
      try graph.emit(Convolution(window), x, t),
    ]
  }

  /// Split samples leave partial sums.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = ConvolutionTypes.labels(window)
    return ShardingRule(
      operands: [labels.x, labels.y], results: [labels.w], whole: labels.whole, linear: [[0], [1]])
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    (try? types(operands))?.cost(operands, results, kind: window.weightCostKind)
      ?? Cost(flops: 0, operands: operands, results: results)
  }
}
