import Foundation

/// Observations that do not determine a scaling law, so that there is no figure to give.
public struct NotIdentifiable: Error, Hashable, Sendable, CustomStringConvertible {
  /// Why, and what would help.
  public let reason: String

  init(_ reason: String) { self.reason = reason }

  /// The reason with what it means.
  public var description: String { "the scaling law is not identifiable: \(reason)" }
}

/// What must hold for five constants to follow from observations.
extension ScalingEstimate {
  /// Whether there are enough of them, at sizes that can be told apart.
  static func checkDesign(_ observations: [ScalingObservation]) throws(NotIdentifiable) {
    if let odd = observations.first(where: {
      !($0.parameters > 0 && $0.tokens > 0 && $0.loss > 0 && $0.loss.isFinite)
    }) {
      throw NotIdentifiable(
        "a run of \(Int(odd.parameters)) parameters has the loss \(odd.loss), which no law allows; use a lower "
          + "learning rate")
    }
    guard observations.count >= fewestObservations else {
      throw NotIdentifiable(
        "\(observations.count) rungs for five constants; use at least \(fewestObservations)")
    }
    for (name, levels) in [
      ("numbers of parameters", Set(observations.map(\.parameters)).count),
      ("amounts of data", Set(observations.map(\.tokens)).count),
    ] where levels < fewestLevels {
      throw NotIdentifiable("the rungs have \(levels) \(name); use at least \(fewestLevels)")
    }
    let together = correlation(observations.map { log($0.parameters) }, observations.map { log($0.tokens) })
    guard abs(together) < 0.97 else {
      throw NotIdentifiable(
        "parameters and data grow together over the rungs, so that their effects cannot be told apart; use rungs that "
          + "have much of one and little of the other")
    }
  }

  /// Whether the loss falls with each of the two by more than chance.
  ///
  /// - Parameter noise: the relative deviation of a run's loss.
  static func checkEffects(
    _ law: ScalingLaw, _ observations: [ScalingObservation], noise: Double
  ) throws(NotIdentifiable) {
    let loss = observations.map(\.loss).min() ?? 0
    let sizes = observations.map(\.parameters)
    let data = observations.map(\.tokens)
    for (name, gain) in [
      ("number of parameters", law.sizeTerm(sizes.min() ?? 1) - law.sizeTerm(sizes.max() ?? 1)),
      ("amount of data", law.dataTerm(data.min() ?? 1) - law.dataTerm(data.max() ?? 1)),
    ] {
      // Below a thousandth nothing is known even where the fit is perfect.
      guard gain > loss * max(2 * noise, 1e-3) else {
        throw NotIdentifiable(
          "over the rungs the loss does not fall with the \(name) by more than the runs' noise; spread the rungs wider"
        )
      }
    }
  }

  private static func correlation(_ x: [Double], _ y: [Double]) -> Double {
    let count = Double(x.count)
    let (meanX, meanY) = (x.reduce(0, +) / count, y.reduce(0, +) / count)
    var (xx, yy, xy) = (0.0, 0.0, 0.0)
    for (a, b) in zip(x, y) {
      xx += (a - meanX) * (a - meanX)
      yy += (b - meanY) * (b - meanY)
      xy += (a - meanX) * (b - meanY)
    }
    return xy / (xx * yy).squareRoot()
  }
}
