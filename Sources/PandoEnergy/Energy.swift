/// An amount of energy with an error bar.
public struct Energy: Hashable, Sendable, Codable {
  /// The best guess, in joules.
  public var joules: Double
  /// Plus or minus, in joules: one standard deviation where the figure is a model, what the makers or those who checked
  /// the sensor say where it was read.
  public var error: Double

  /// Nothing.
  public static let zero = Energy(joules: 0, error: 0)

  /// An amount and its error in joules.
  public init(joules: Double, error: Double) {
    self.joules = joules
    self.error = error
  }

  /// An amount whose error is a share of it.
  public init(joules: Double, relativeError: Double) {
    self.init(joules: joules, error: joules * relativeError)
  }

  /// The error as a share of the amount; 0 for nothing.
  public var relativeError: Double { joules > 0 ? error / joules : 0 }

  /// Both together. Errors of the same kind of sensor or of one model point the same way, so they add up too.
  public static func + (left: Energy, right: Energy) -> Energy {
    Energy(joules: left.joules + right.joules, error: left.error + right.error)
  }

  /// A multiple.
  public static func * (energy: Energy, factor: Double) -> Energy {
    Energy(joules: energy.joules * factor, error: energy.error * factor)
  }
}
