import Foundation

/// What a rung reached.
public struct RungResult: Hashable, Sendable, Codable {
  /// Trained elements; tokens learnt from, repeats included; updates of the weights.
  public var parameters: Int, tokens: Int, steps: Int
  /// The model's sizes in words.
  public var size: String
  /// The loss on the held-out samples at the end, in nats.
  public var loss: Double
  /// Training time as measured, with evaluation, and by the cost model, without.
  public var seconds: Double, plannedSeconds: Double

  enum CodingKeys: String, CodingKey {
    case parameters, tokens, steps, size, loss, seconds
    case plannedSeconds = "planned_seconds"
  }

  /// All figures at once.
  public init(
    parameters: Int, tokens: Int, steps: Int, size: String, loss: Double, seconds: Double,
    plannedSeconds: Double
  ) {
    (self.parameters, self.tokens, self.steps, self.size) = (parameters, tokens, steps, size)
    (self.loss, self.seconds, self.plannedSeconds) = (loss, seconds, plannedSeconds)
  }
}
