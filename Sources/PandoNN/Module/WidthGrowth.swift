/// How much wider a parameter's layer is than in the model on which settings were tuned: what the maximal update
/// parametrization (µP; Yang et al. 2022, "Tensor Programs V", arXiv:2203.03466, table 8) asks of a parameter.
///
/// A dimension grows if it is wider in a wider model; others (a vocabulary, classes, pixels) have a growth of 1. Biases,
/// norms and tables of embeddings have one input that does not grow.
public struct WidthGrowth: Hashable, Sendable {
  /// Of the inputs: how many times as wide as in the base model.
  public let inputs: Double
  /// Of the outputs.
  public let outputs: Double
  /// Whether the layer divides what comes in by `inputs`: the table's output weights, which have that multiplier in
  /// place of smaller initial values and steps.
  public let isReadout: Bool

  /// The standard parametrization: nothing depends on the width.
  public static let none = WidthGrowth(inputs: 1, outputs: 1)

  /// The growth of a layer's inputs and outputs.
  public init(inputs: Double, outputs: Double, isReadout: Bool = false) {
    self.inputs = inputs
    self.outputs = outputs
    self.isReadout = isReadout
  }

  /// A bias of the layer, or a norm behind it.
  public var bias: WidthGrowth { WidthGrowth(inputs: 1, outputs: outputs) }

  /// By what an adaptive rule (Adam) multiplies the learning rate: its steps have the size of the rate whatever the
  /// gradient, and a hidden layer sums one for each input.
  public var adaptiveRate: Double { isReadout ? 1 : 1 / inputs }

  /// By what plain gradient descent multiplies the learning rate.
  public var gradientRate: Double { isReadout ? inputs * outputs : outputs / inputs }
}
