import Pando

/// What a layer wants to be small beside the model's own loss, such as an uneven use of experts.
public struct AuxiliaryLoss: Sendable {
  /// What it is called: `balance`.
  public let name: String
  /// A scalar, the mean over the samples.
  public let value: Tensor
  /// By what it is multiplied where it is added to the model's loss.
  public let weight: Double

  /// A loss from all that it is.
  public init(_ name: String, _ value: Tensor, weight: Double) {
    self.name = name
    self.value = value
    self.weight = weight
  }
}
