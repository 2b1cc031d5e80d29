import Pando

/// x Wᵀ + b on the last dimension. PyTorch: `nn.Linear`.
///
/// Input `[…, inputs]`, output `[…, outputs]`.
public struct Linear: PureLayer {
  /// `[outputs, inputs]`
  public let weight: Parameter
  /// `[outputs]`
  public let bias: Parameter?
  private let site: Site

  /// A layer from `inputs` to `outputs` features.
  ///
  /// - Parameters:
  ///   - axes: names of the outputs and the inputs for parallel strategies.
  ///   - initializer: how the weight begins, the bias then beginning as zeros; by default both are PyTorch's, uniform
  ///     in ±1/√inputs.
  ///   - dtype: the parameters' type, which inputs must have.
  public init(
    _ inputs: Int, _ outputs: Int, bias: Bool = true, axes: [String?] = [nil, nil],
    initializer: Initializer? = nil,
    dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    precondition(
      inputs > 0 && outputs > 0, "Linear(\(inputs), \(outputs)) needs at least one input and one output")
    weight = Parameter([outputs, inputs], initializer ?? .fanIn(inputs), axes: axes, dtype: dtype)
    self.bias =
      bias
      ? Parameter(
        [outputs], initializer == nil ? .fanIn(inputs) : .zeros, role: .unregularized, axes: [axes[0]],
        dtype: dtype)
      : nil
    site = Site(file, line)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    linear(x, weight.tensor, bias?.tensor, file: site.file, line: site.line)
  }
}
