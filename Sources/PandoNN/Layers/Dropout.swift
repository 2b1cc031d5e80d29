import Pando

/// In training sets elements to zero at random, each with probability `probability`, and divides the others by the
/// probability of staying; in evaluation does nothing. PyTorch: `nn.Dropout`.
public struct Dropout: Layer {
  /// The probability that an element is dropped.
  public let probability: Double

  /// Drops with a probability from 0 to 1.
  public init(_ probability: Double = 0.5) {
    precondition((0...1).contains(probability), "Dropout(\(probability)) is not a probability")
    self.probability = probability
  }

  public func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
    guard let key = context.key, probability > 0 else { return x }
    return dropout(x, probability, key: key, stream: context.nextStream())
  }
}
