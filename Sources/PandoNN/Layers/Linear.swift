import Pando

/// x Wᵀ + b on the last dimension. PyTorch: `nn.Linear`.
///
/// Input `[…, inputs]`, output `[…, outputs]`.
public struct Linear: PureLayer {
  /// `[outputs, inputs]`
  public let weight: Parameter
  /// `[outputs]`
  public let bias: Parameter?
  /// By what inputs are multiplied first, where the layer is a readout of the maximal update parametrization.
  private let multiplier: Double
  private let site: Site

  /// A layer from `inputs` to `outputs` features.
  ///
  /// - Parameters:
  ///   - axes: names of the outputs and the inputs for parallel strategies.
  ///   - initializer: how the weight begins, the bias then beginning as zeros; by default both are PyTorch's, uniform
  ///     in ±1/√inputs.
  ///   - growth: how much wider the layer is than in a base model; the default initial values follow it, an `initializer`
  ///     has to by itself.
  ///   - dtype: the parameters' type, which inputs must have.
  public init(
    _ inputs: Int, _ outputs: Int, bias: Bool = true, axes: [String?] = [nil, nil],
    initializer: Initializer? = nil, growth: WidthGrowth = .none, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    precondition(
      inputs > 0 && outputs > 0, "Linear(\(inputs), \(outputs)) needs at least one input and one output")
    // A readout's weights, and all biases, begin as in the base model.
    let start = Initializer.fanIn(Double(inputs) / growth.inputs)
    weight = Parameter(
      [outputs, inputs], initializer ?? (growth.isReadout ? start : .fanIn(inputs)), axes: axes,
      growth: growth, dtype: dtype)
    self.bias =
      bias
      ? Parameter(
        [outputs], initializer == nil ? start : .zeros, role: .unregularized, axes: [axes[0]],
        growth: growth.bias, dtype: dtype)
      : nil
    multiplier = growth.isReadout ? 1 / growth.inputs : 1
    site = Site(file, line)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    linear(
      multiplier == 1 ? x : x * multiplier, weight.tensor, bias?.tensor, file: site.file, line: site.line)
  }
}
