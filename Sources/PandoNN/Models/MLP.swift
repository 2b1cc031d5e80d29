import Pando

/// Fully connected layers with a function between them.
///
/// Input `[samples, …]`, whose dimensions after the first are taken together as `inputs` features; output
/// `[samples, outputs]`.
public struct MLP: Layer {
  /// The layers in order.
  public let layers: [Linear]
  private let activation: Activation
  private let dropout: Dropout

  /// A network with a layer for each number of `hidden`, and one more for the outputs.
  ///
  /// - Parameters:
  ///   - dropout: the probability that a hidden output is dropped in training.
  ///   - parametrization: how all this depends on the widths; the base model has hidden layers of one width.
  public init(
    inputs: Int, hidden: [Int], outputs: Int, activation: Activation = .relu, dropout: Double = 0,
    parametrization: Parametrization = .standard, file: StaticString = #fileID, line: UInt = #line
  ) {
    let sizes = [inputs] + hidden + [outputs]
    // Axes take turns, so that a strategy can split the outputs of one layer and the inputs of the next.
    let axes: [String?] = (0...hidden.count).map { $0.isMultiple(of: 2) ? "mlp" : "embed" }
    let growths = [1] + hidden.map { parametrization.growth(of: $0) } + [1]
    layers = (0...hidden.count).map { index in
      Linear(
        sizes[index], sizes[index + 1],
        axes: [index == hidden.count ? nil : axes[index], index == 0 ? nil : axes[index - 1]],
        growth: WidthGrowth(
          inputs: growths[index], outputs: growths[index + 1],
          isReadout: index == hidden.count && parametrization != .standard), file: file, line: line)
    }
    self.activation = activation
    self.dropout = Dropout(dropout)
  }

  public func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
    var x = x.rank > 2 ? x.flatten(from: 1) : x
    for layer in layers.dropLast() { x = dropout(activation(layer(x)), context) }
    return layers[layers.count - 1](x)
  }
}
