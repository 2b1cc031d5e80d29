import PandoIR

extension GraphBuilder {
  /// 1/√(variance + epsilon)
  mutating func reciprocalDeviation(_ variance: Value, _ epsilon: Double) throws(TypeError) -> Value {
    try unary(.reciprocalSquareRoot, add(variance, constant(epsilon, like: variance)))
  }
}

/// Cotangents of the statistics that a norm returns beside its main result.
///
/// They are zero in a first derivative, since nobody differentiates running statistics; a second derivative has them,
/// because gradients read the statistics.
struct StatisticsCotangent {
  /// The measure of spread that is returned, and its cotangent.
  enum Spread {
    /// 1/√(variance + epsilon) or 1/√(mean square + epsilon): its derivative by x is -rstd³ (x - mean) / count.
    case reciprocalDeviation(Value, cotangent: Value)
    /// The biased variance: its derivative by x is 2 (x - mean) / count.
    case variance(cotangent: Value)
  }

  /// The cotangent of the mean; `nil` where there is none.
  var mean: Value?
  /// The spread's.
  var spread: Spread

  /// What they add to the cotangent of x; nothing is emitted where they are zero.
  ///
  /// - Parameters:
  ///   - dx: the cotangent of x so far.
  ///   - center: the mean; `nil` where x is not centred.
  ///   - reduced: the dimensions that the statistics drop.
  func added(
    to dx: Value, x: Value, center: Value?, reduced: [Int], in graph: inout GraphBuilder
  ) throws(TypeError) -> Value {
    let shape = x.type.shape
    var sum: Value?
    if let mean, !graph.isZero(mean) {
      sum = try graph.broadcast(mean, to: shape, restoring: reduced)
    }
    if let slope = try slope(in: &graph) {
      var distance = try graph.widen(x)
      if let center {
        distance = try graph.subtract(distance, graph.broadcast(center, to: shape, restoring: reduced))
      }
      let term = try graph.multiply(graph.broadcast(slope, to: shape, restoring: reduced), distance)
      if let other = sum { sum = try graph.add(other, term) } else { sum = term }
    }
    guard let sum else { return dx }
    let count = reduced.reduce(1) { $0 * shape[$1] }
    let total = try graph.add(graph.widen(dx), graph.scale(sum, 1 / Double(count)))
    return try graph.convert(total, to: dx.type.dtype)
  }

  /// The factor of (x - mean) / count; `nil` for zero.
  private func slope(in graph: inout GraphBuilder) throws(TypeError) -> Value? {
    switch spread {
    case .reciprocalDeviation(let rstd, let cotangent):
      if graph.isZero(cotangent) { return nil }
      let cube = try graph.multiply(rstd, graph.multiply(rstd, rstd))
      return try graph.negate(graph.multiply(cotangent, cube))
    case .variance(let cotangent): return graph.isZero(cotangent) ? nil : try graph.scale(cotangent, 2)
    }
  }
}
