import Foundation

/// The law that comes closest to what was observed: approach 3 of Hoffmann et al. 2022 (arXiv:2203.15556, section 3.3).
///
/// The Huber loss of the logarithms' differences is least, with the law written as the logarithm of a sum of three
/// exponentials, LSE(a − α log N, b − β log D, e); L-BFGS goes down from each point of a grid, and the lowest end counts.
/// Logarithms of sizes are taken from their means, which changes nothing but how well the unknowns can be told apart.
struct ScalingFit {
  /// Where the Huber loss passes from a square to a line, as in the paper.
  static let huber = 1e-3

  private struct Point {
    let size: Double, data: Double, loss: Double
  }

  private let points: [Point]
  private let meanSize: Double, meanData: Double

  init(_ observations: [ScalingObservation]) {
    let count = Double(observations.count)
    let (meanSize, meanData) = (
      observations.reduce(0) { $0 + log($1.parameters) } / count,
      observations.reduce(0) { $0 + log($1.tokens) } / count
    )
    (self.meanSize, self.meanData) = (meanSize, meanData)
    points = observations.map {
      Point(size: log($0.parameters) - meanSize, data: log($0.tokens) - meanData, loss: log($0.loss))
    }
  }

  /// The best fit.
  ///
  /// - Parameter near: laws to start from in place of the grid.
  func law(near: [ScalingLaw] = []) -> ScalingLaw {
    let starts = near.isEmpty ? grid : near.map(unknowns)
    // First as least squares, which have no kinks and lead from afar; then the few lowest as the paper has it.
    let rough = starts.map {
      LBFGS.minimize(from: $0, iterations: near.isEmpty ? 60 : 200, tolerance: 1e-9) { badness($0, huber: 1) }
    }.filter { $0.value.isFinite }.sorted { $0.value < $1.value }
    let ends = rough.prefix(near.isEmpty ? 16 : 4).map { end in
      LBFGS.minimize(from: end.point, iterations: 500, tolerance: 1e-7) { badness($0, huber: Self.huber) }
    }
    return law(ends.min { $0.value < $1.value }?.point ?? starts[0])
  }

  /// The Huber loss of the differences, in units of the square of its bend, and its gradient by a, α, b, β, e.
  private func badness(_ v: LBFGS.Vector, huber: Double) -> (Double, LBFGS.Vector) {
    var (value, gradient) = (0.0, LBFGS.Vector.zero)
    for point in points {
      let (size, data, rest) = (v[0] - v[1] * point.size, v[2] - v[3] * point.data, v[4])
      let top = max(size, data, rest)
      let (p, q, r) = (exp(size - top), exp(data - top), exp(rest - top))
      let sum = p + q + r
      let off = (top + log(sum) - point.loss) / huber
      value += abs(off) <= 1 ? off * off / 2 : abs(off) - 0.5
      let slope = min(1, max(-1, off)) / huber / sum
      gradient +=
        slope * LBFGS.Vector(p, -p * point.size, q, -q * point.data, r, 0, 0, 0)
    }
    return (value, gradient)
  }

  /// Starts: shares of the lowest loss for E, of the rest for A's term and B's, and exponents.
  private var grid: [LBFGS.Vector] {
    let losses = points.map { exp($0.loss) }
    let (lowest, mean) = (losses.min() ?? 1, losses.reduce(0, +) / Double(max(1, losses.count)))
    var starts: [LBFGS.Vector] = []
    for share in [0.1, 0.4, 0.7, 0.95] {
      let rest = max(mean - share * lowest, 1e-6 * mean)
      for part in [0.2, 0.5, 0.8] {
        for alpha in [0.1, 0.3, 0.7, 1.5] {
          for beta in [0.1, 0.3, 0.7, 1.5] {
            starts.append(
              LBFGS.Vector(
                log(part * rest), alpha, log((1 - part) * rest), beta, log(share * lowest), 0, 0, 0))
          }
        }
      }
    }
    return starts
  }

  private func law(_ v: LBFGS.Vector) -> ScalingLaw {
    ScalingLaw(
      irreducible: exp(v[4]), sizeFactor: exp(v[0] + v[1] * meanSize), sizeExponent: v[1],
      dataFactor: exp(v[2] + v[3] * meanData), dataExponent: v[3])
  }

  private func unknowns(_ law: ScalingLaw) -> LBFGS.Vector {
    LBFGS.Vector(
      log(law.sizeFactor) - law.sizeExponent * meanSize, law.sizeExponent,
      log(law.dataFactor) - law.dataExponent * meanData, law.dataExponent,
      log(max(law.irreducible, 1e-9)), 0, 0, 0)
  }
}
