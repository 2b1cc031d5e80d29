import Foundation

/// Where values lie along an axis, and which of them are written beside it.
package struct AxisScale: Sendable {
  /// Even steps, or even factors.
  package enum Kind: Sendable {
    case linear, logarithmic
  }

  package let kind: Kind
  /// The values at the axis' ends.
  package let lower: Double, upper: Double
  /// Round values between them.
  package let ticks: [Double]

  /// A scale that holds `values`, all finite, with about `count` round steps.
  ///
  /// - Parameters:
  ///   - isTight: whether the axis ends at the outermost values and not at the next round ones.
  ///   - kind: a logarithmic scale needs values above 0.
  package init(_ values: [Double], kind: Kind = .linear, count: Int = 5, isTight: Bool = false) {
    var low = values.min() ?? 0
    var high = values.max() ?? 1
    if low == high {
      let margin = low == 0 ? 1 : abs(low) * 0.1
      (low, high) = kind == .logarithmic ? (low / 2, high * 2) : (low - margin, high + margin)
    }
    self.kind = kind
    switch kind {
    case .linear:
      let step = Self.roundStep((high - low) / Double(count))
      // Rounding may leave 5.000000000000001 steps where 5 are meant.
      let (start, end) = (low / step, high / step)
      let first = isTight ? (start - 1e-9).rounded(.up) : (start + 1e-9).rounded(.down)
      let last = isTight ? (end + 1e-9).rounded(.down) : (end - 1e-9).rounded(.up)
      (lower, upper) = isTight ? (low, high) : (min(low, first * step), max(high, last * step))
      ticks = first <= last ? stride(from: first, through: last, by: 1).map { $0 * step } : []
    case .logarithmic:
      let decades = log10(high / low)
      let factors: [Double] = decades > 4 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5]
      let exponents = Int(log10(low).rounded(.down))...Int(log10(high).rounded(.up))
      let round = exponents.flatMap { exponent in factors.map { $0 * pow(10, Double(exponent)) } }
      (lower, upper) = (round.last { $0 <= low } ?? low, round.first { $0 >= high } ?? high)
      let (bottom, top) = (lower, upper)
      ticks = round.filter { $0 >= bottom && $0 <= top }
    }
  }

  /// The smallest of 1, 2 and 5 times a power of ten that is at least `step`.
  private static func roundStep(_ step: Double) -> Double {
    let power = pow(10, log10(step).rounded(.down))
    let factor = step / power
    // Rounding may leave 2.0000000000000004 where 2 is meant.
    return power * (factor <= 1.0001 ? 1 : factor <= 2.0001 ? 2 : factor <= 5.0001 ? 5 : 10)
  }

  /// The place of `value` between the ends: 0 at the lower, 1 at the upper.
  package func fraction(_ value: Double) -> Double {
    switch kind {
    case .linear: (value - lower) / (upper - lower)
    case .logarithmic: log(value / lower) / log(upper / lower)
    }
  }

  /// A tick's text: just the decimals that tell it from its neighbours.
  package func label(_ tick: Double) -> String {
    if kind == .logarithmic, tick >= 1000 { return Self.short(tick) }
    if kind == .logarithmic || ticks.count < 2 { return tick == 0 ? "0" : String(format: "%g", tick) }
    let step = abs(ticks[1] - ticks[0])
    if abs(tick) < step / 2 { return "0" }
    if step >= 1000 { return Self.short(tick) }
    if step < 1e-4 { return String(format: "%.3g", tick) }
    return String(format: "%.\(max(0, Int((-log10(step) - 1e-9).rounded(.up))))f", tick)
  }

  /// Thousands and millions by letter, without spare zeros: `2k`, `1.5M`. What no letter reaches is a power of ten.
  private static func short(_ value: Double) -> String {
    guard value < 1e15 else { return String(format: "%g", value) }
    for (unit, letter) in [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")] where abs(value) >= unit {
      return String(format: "%g", value / unit) + letter
    }
    return String(format: "%g", value)
  }
}
