import Foundation
import PandoIR

/// A fitted law with what is not known about it: 90 % intervals from a bootstrap.
///
/// The sizes of a ladder were chosen and not drawn, so what is resampled are the residuals (Efron and Tibshirani 1993,
/// "An Introduction to the Bootstrap", section 9.4), widened by what a fit with five unknowns takes out of them. The
/// intervals know nothing of how far the truth is from being such a law.
public struct ScalingEstimate: Sendable {
  /// The bounds of a figure.
  public struct Interval: Hashable, Sendable, Codable {
    /// Nineteen of twenty resamples lie above `low`, nineteen below `high`.
    public var low: Double, high: Double
  }

  /// A figure and its bounds.
  public struct Figure: Hashable, Sendable, Codable {
    /// The best guess.
    public var value: Double
    /// Its 90 % interval.
    public var interval: Interval

    /// Half the interval as a share of the value.
    public var spread: Double { (interval.high - interval.low) / 2 / abs(value) }
  }

  /// The best fit.
  public let law: ScalingLaw
  /// The fits of the resamples.
  let resamples: [ScalingLaw]
  /// Differences of the logarithms of observed and fitted losses, widened.
  private let residuals: [Double]
  /// The root mean square of the relative differences between observed and fitted losses.
  public let relativeError: Double
  private let seed: UInt64

  /// The fewest observations, and the fewest sizes and amounts of data among them: with fewer, five unknowns go through
  /// all of them.
  public static let fewestObservations = 7, fewestLevels = 3
  /// A prediction whose interval is wider than this to each side says nothing.
  public static let widest = 0.1

  /// Fits a law.
  ///
  /// - Parameters:
  ///   - resamples: how many fits the intervals come from.
  ///   - seed: of the resampling; the same gives the same intervals.
  /// - Throws: `NotIdentifiable` where the observations do not determine a law.
  public init(_ observations: [ScalingObservation], resamples: Int = 200, seed: UInt64 = 1)
    throws(NotIdentifiable)
  {
    try Self.checkDesign(observations)
    let law = ScalingFit(observations).law()
    let widening = (Double(observations.count) / Double(observations.count - 5)).squareRoot()
    let residuals = observations.map {
      log($0.loss) - log(law.loss(parameters: $0.parameters, tokens: $0.tokens))
    }
    self.law = law
    self.seed = seed
    self.residuals = residuals.map { $0 * widening }
    relativeError = (residuals.reduce(0) { $0 + $1 * $1 } / Double(residuals.count)).squareRoot()
    try Self.checkEffects(law, observations, noise: relativeError * widening)
    // From the fit itself, and from laws whose exponents differ, so that another valley is found where there is one.
    let starts = [law] + Self.variants(of: law, observations)
    var dice = Dice(seed: seed)
    let widened = self.residuals
    self.resamples = (0..<resamples).map { _ in
      let drawn = observations.map { observation in
        ScalingObservation(
          parameters: observation.parameters, tokens: observation.tokens,
          loss: law.loss(parameters: observation.parameters, tokens: observation.tokens)
            * exp(widened[dice.roll(widened.count)]))
      }
      return ScalingFit(drawn).law(near: starts)
    }
  }

  /// The loss that a run of these sizes would reach, in nats; its interval has the noise of a single run in it.
  ///
  /// - Throws: `NotIdentifiable` where the interval is so wide that the figure says nothing.
  public func loss(parameters: Double, tokens: Double) throws(NotIdentifiable) -> Figure {
    var dice = Dice(seed: seed ^ 0x6C6F7373)
    let drawn = resamples.map {
      $0.loss(parameters: parameters, tokens: tokens) * exp(residuals[dice.roll(residuals.count)])
    }
    let figure = Figure(
      value: law.loss(parameters: parameters, tokens: tokens), interval: Self.interval(drawn))
    guard figure.spread <= Self.widest else {
      throw NotIdentifiable(
        String(
          format:
            "the 90 %% interval of the loss at the size asked for is ±%.0f %%, and beyond ±%.0f %% a figure says "
            + "nothing; use more or larger rungs", figure.spread * 100, Self.widest * 100))
    }
    return figure
  }

  /// The range of a constant of the law.
  public func interval(_ constant: (ScalingLaw) -> Double) -> Interval {
    Self.interval(resamples.map(constant))
  }

  /// The best split of a budget, with its interval in N.
  ///
  /// - Parameters: as of `ScalingLaw.bestSplit`.
  /// - Throws: `NotIdentifiable` where the interval spans more than a factor of 10.
  public func bestSplit(
    budget: Double, perPair: Double
  ) throws(NotIdentifiable) -> (split: ScalingLaw.Split, parameters: Interval) {
    let interval = interval { $0.bestSplit(budget: budget, perPair: perPair).parameters }
    guard interval.low > 0, interval.high / interval.low <= 10 else {
      throw NotIdentifiable(
        "the two exponents are not known well enough: the 90 % interval of the best number of parameters spans more "
          + "than a factor of 10")
    }
    return (law.bestSplit(budget: budget, perPair: perPair), interval)
  }

  private static func interval(_ values: [Double]) -> Interval {
    let sorted = values.map { $0.isNaN ? .infinity : $0 }.sorted()
    func quantile(_ share: Double) -> Double {
      let place = share * Double(sorted.count - 1)
      let (low, rest) = (Int(place), place - place.rounded(.down))
      let high = min(low + 1, sorted.count - 1)
      return rest == 0 ? sorted[low] : sorted[low] * (1 - rest) + sorted[high] * rest
    }
    return sorted.isEmpty
      ? Interval(low: .nan, high: .nan) : Interval(low: quantile(0.05), high: quantile(0.95))
  }

  /// Laws near one which have about the same losses in the middle of the observations: with other exponents, and with
  /// other shares of the loss that nothing takes away. From an E of almost 0 no descent comes back.
  private static func variants(of law: ScalingLaw, _ observations: [ScalingObservation]) -> [ScalingLaw] {
    let count = Double(observations.count)
    let size = exp(observations.reduce(0) { $0 + log($1.parameters) } / count)
    let data = exp(observations.reduce(0) { $0 + log($1.tokens) } / count)
    let byExponents = [(0.5, 1.0), (2, 1), (1, 0.5), (1, 2)].map { bySize, byData in
      var other = law
      other.sizeExponent *= bySize
      other.dataExponent *= byData
      other.sizeFactor *= pow(size, other.sizeExponent - law.sizeExponent)
      other.dataFactor *= pow(data, other.dataExponent - law.dataExponent)
      return other
    }
    let lowest = observations.map(\.loss).min() ?? 0
    let rest = law.sizeTerm(size) + law.dataTerm(data)
    let byShares = [0.3, 0.7].map { share in
      var other = law
      other.irreducible = share * lowest
      let scale = max(law.irreducible + rest - other.irreducible, 1e-6 * lowest) / rest
      other.sizeFactor *= scale
      other.dataFactor *= scale
      return other
    }
    return byExponents + byShares
  }
}

/// Whole numbers by chance, the same for the same seed (Philox).
private struct Dice {
  private let seed: UInt64
  private var rolled: UInt64 = 0

  init(seed: UInt64) { self.seed = seed }

  /// One of 0..<sides.
  mutating func roll(_ sides: Int) -> Int {
    let word = Philox.block(rolled, stream: 0, step: 0, seed: seed)[0]
    rolled += 1
    return Int((UInt64(word) * UInt64(sides)) >> 32)
  }
}
