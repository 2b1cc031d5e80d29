import Pando

/// An exponential moving average of weights, which often generalizes better than the weights themselves (Polyak and
/// Juditsky 1992). PyTorch: `AveragedModel` with `get_ema_multi_avg_fn`.
public struct MovingAverage: Sendable {
  /// The share of the average that stays in a step.
  public let decay: Double

  /// An average that forgets over about 1 / (1 - decay) steps.
  public init(decay: Double = 0.999) { self.decay = decay }

  /// The average after a step; it begins as the first parameters.
  public func update(average: Tensor, parameter: Tensor) -> Tensor {
    average * decay + parameter.cast(average.dtype) * (1 - decay)
  }
}
