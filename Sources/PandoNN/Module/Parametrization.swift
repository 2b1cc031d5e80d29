/// How initial values, learning rates and multipliers depend on a model's width.
public enum Parametrization: Hashable, Sendable {
  /// As everybody does it; the best learning rate falls as models grow wider.
  case standard
  /// The maximal update parametrization (µP; Yang et al. 2022, arXiv:2203.03466): settings that are good for a model of
  /// the base width are good for wider ones. At the base width it is the standard parametrization.
  case maximalUpdate(baseWidth: Int)

  /// How many times as wide as in the base model a layer of `width` features is.
  public func growth(of width: Int) -> Double {
    switch self {
    case .standard: 1
    case .maximalUpdate(let baseWidth): Double(width) / Double(baseWidth)
    }
  }

  /// The scale of attention's scores: 1/width in place of 1/√width, and the same as that in the base model. Products of
  /// queries and keys that have learnt to agree grow with the width, not with its root.
  ///
  /// - Parameters:
  ///   - headWidth: features of a head.
  ///   - baseHeads: the heads that the base model has.
  /// - Returns: `nil` for the usual 1/√width.
  func attentionScale(headWidth: Int, baseHeads: Int) -> Double? {
    switch self {
    case .standard: nil
    case .maximalUpdate(let baseWidth):
      (Double(baseWidth) / Double(baseHeads)).squareRoot() / Double(headWidth)
    }
  }
}

extension Initializer {
  /// The initial values of a hidden layer that is wider by a factor than the one that these are for: the variance falls
  /// with the number of inputs.
  func widened(by growth: Double) -> Initializer {
    switch self {
    case .constant: self
    case .uniform(let bound): .uniform(bound: bound / growth.squareRoot())
    case .normal(let mean, let deviation): .normal(mean: mean, deviation: deviation / growth.squareRoot())
    }
  }
}
