import Foundation

/// Finds a low point of a function of at most eight unknowns by its gradient: limited-memory BFGS (Liu and Nocedal 1989,
/// "On the limited memory BFGS method for large scale optimization"), whose line search looks for the weak Wolfe
/// conditions by bisection, as functions with kinks want it (Lewis and Overton 2013, "Nonsmooth optimization via
/// quasi-Newton methods").
///
/// Unknowns that the function does not have stay as they are, since their gradient is 0.
enum LBFGS {
  typealias Vector = SIMD8<Double>

  /// Where it ended.
  struct Result {
    let point: Vector
    let value: Double
  }

  /// How many of the last steps are remembered.
  private static let memory = 8

  /// - Parameters:
  ///   - iterations: the most steps.
  ///   - tolerance: the search ends where every element of the gradient is below it.
  ///   - function: gives the value and the gradient at a point.
  static func minimize(
    from start: Vector, iterations: Int, tolerance: Double, _ function: (Vector) -> (Double, Vector)
  ) -> Result {
    var point = start
    var (value, gradient) = function(point)
    var steps: [(s: Vector, y: Vector, product: Double)] = []
    for _ in 0..<iterations where value.isFinite {
      if largest(gradient) < tolerance { break }
      var direction = -twoLoops(gradient, steps)
      if dot(direction, gradient) >= 0 {
        steps = []
        direction = -gradient
      }
      // The unknowns are logarithms and exponents: whoever moves one of them by more than 4 at once is lost.
      let size = largest(direction)
      if size > 4 { direction *= 4 / size }
      guard let next = search(point, value, gradient, direction, function) else {
        if steps.isEmpty { break }
        steps = []
        continue
      }
      let (s, y) = (next.point - point, next.gradient - gradient)
      let (gain, product) = (value - next.value, dot(s, y))
      (point, value, gradient) = (next.point, next.value, next.gradient)
      if product > 1e-12 * dot(y, y) { steps.append((s, y, product)) }
      if steps.count > memory { steps.removeFirst() }
      if gain <= 1e-14 * max(1, abs(value)) { break }
    }
    return Result(point: point, value: value)
  }

  /// The gradient times the approximate inverse of the second derivatives.
  private static func twoLoops(_ gradient: Vector, _ steps: [(s: Vector, y: Vector, product: Double)])
    -> Vector
  {
    var q = gradient
    var weights: [Double] = []
    for step in steps.reversed() {
      let weight = dot(step.s, q) / step.product
      weights.append(weight)
      q -= weight * step.y
    }
    if let last = steps.last { q *= last.product / dot(last.y, last.y) }
    for (step, weight) in zip(steps, weights.reversed()) {
      q += (weight - dot(step.y, q) / step.product) * step.s
    }
    return q
  }

  /// A step along a direction after which the value has fallen enough and the slope is flatter; `nil` where none is.
  private static func search(
    _ point: Vector, _ value: Double, _ gradient: Vector, _ direction: Vector,
    _ function: (Vector) -> (Double, Vector)
  ) -> (point: Vector, value: Double, gradient: Vector)? {
    let slope = dot(gradient, direction)
    var (low, high, length) = (0.0, Double.infinity, 1.0)
    var best: (point: Vector, value: Double, gradient: Vector)?
    for _ in 0..<40 {
      let place = point + length * direction
      let (there, slopeThere) = function(place)
      if !(there <= value + 1e-4 * length * slope) {
        high = length
      } else {
        best = (place, there, slopeThere)
        if dot(slopeThere, direction) >= 0.9 * slope { return best }
        low = length
      }
      length = high.isFinite ? (low + high) / 2 : 2 * low
      if length > 1e6 { break }
    }
    return best
  }

  private static func dot(_ a: Vector, _ b: Vector) -> Double { (a * b).sum() }

  private static func largest(_ v: Vector) -> Double { max(v.max(), -v.min()) }
}
