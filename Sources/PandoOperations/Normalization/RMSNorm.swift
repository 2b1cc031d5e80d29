import PandoIR

/// Divides each row by its root mean square, then multiplies each element by a weight.
///
/// A row is the last `dimensions` dimensions taken together. Operands: x, and a weight of the row's shape. Results: y,
/// and for each row 1/√(mean(x²) + epsilon), in the accumulator type of x. Zhang, Sennrich: Root mean square layer
/// normalization (2019).
public struct RMSNorm: CompositeOperation {
  public static let name = "rms_norm"
  public static let operandCount: Int? = 2

  /// How many dimensions, counted from the last, make a row.
  public let dimensions: Int
  /// Added to the mean square.
  public let epsilon: Double

  /// A root-mean-square norm over the last `dimensions` dimensions.
  public init(dimensions: Int = 1, epsilon: Double = 1e-6) {
    self.dimensions = dimensions
    self.epsilon = epsilon
  }

  /// The parameters stay in float32, and so do the statistics.
  public var precision: PrecisionRule { PrecisionRule(.follow, keeping: [1]) }

  /// The types of y and the reciprocal root mean square.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try check(epsilon: epsilon)
    let rows = try Rows(self, operands[0], dimensions)
    try checkParameter(operands[1], shape: rows.shape, for: operands[0], "the weight")
    return [operands[0], rows.statistics]
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let rows = try Rows(self, operands[0].type, dimensions)
    let x = try graph.widen(operands[0])
    let meanSquare = try graph.mean(graph.multiply(x, x), rows.normalized)
    let scale = try graph.reciprocalDeviation(meanSquare, epsilon)
    let unit = try graph.multiply(x, rows.spread(scale, in: &graph))
    let y = try graph.multiply(unit, rows.repeated(operands[1], in: &graph))
    return [try graph.convert(y, to: operands[0].type.dtype), scale]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (x, scale) = (operands[0], results[1])
    let rows = try Rows(self, x.type, dimensions)
    var gradients = try graph.emit(
      RMSNormGradient(dimensions: dimensions), operands: [x, operands[1], scale, cotangents[0]])
    let statistics = StatisticsCotangent(
      mean: nil, spread: .reciprocalDeviation(scale, cotangent: cotangents[1]))
    gradients[0] = try statistics.added(
      to: gradients[0], x: x, center: nil, reduced: rows.normalized, in: &graph)
    return gradients
  }

  /// Rows are independent; a row stays whole.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let (all, kept, row) = Rows.labels(operands[0].rank, dimensions)
    return ShardingRule(operands: [all, row], results: [all, kept], whole: Set(row))
  }
}

/// The gradient of `RMSNorm` by its first result: operands x, weight, reciprocal root mean square and the cotangent of
/// y; results the cotangents of x and weight.
public struct RMSNormGradient: CompositeOperation {
  public static let name = "rms_norm_gradient"
  public static let operandCount: Int? = 4

  /// As in the forward operation.
  public let dimensions: Int

  /// The gradient of a root-mean-square norm over the last `dimensions` dimensions.
  public init(dimensions: Int = 1) { self.dimensions = dimensions }

  /// The parameters stay in float32, and so do the statistics.
  public var precision: PrecisionRule { PrecisionRule(.follow, keeping: [1, 2]) }

  /// The types of x and weight.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let rows = try Rows(self, operands[0], dimensions)
    try checkParameter(operands[1], shape: rows.shape, for: operands[0], "the weight")
    try check(operands[2], is: rows.statistics, "the reciprocal root mean square")
    try check(operands[3], is: operands[0], "the cotangent")
    return [operands[0], operands[1]]
  }

  /// With x̂ = x r and g = dy weight: dx = r (g - x̂ mean(g x̂)), dweight = Σ dy x̂.
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let rows = try Rows(self, operands[0].type, dimensions)
    let (x, dy) = (try graph.widen(operands[0]), try graph.widen(operands[3]))
    let scale = try rows.spread(operands[2], in: &graph)
    let unit = try graph.multiply(x, scale)
    let g = try graph.multiply(dy, rows.repeated(operands[1], in: &graph))
    let slope = try rows.spread(graph.mean(graph.multiply(g, unit), rows.normalized), in: &graph)
    let dx = try graph.multiply(scale, graph.subtract(g, graph.multiply(unit, slope)))
    let dweight = try graph.reduce(.sum, graph.multiply(dy, unit), rows.kept)
    return [
      try graph.convert(dx, to: operands[0].type.dtype),
      try graph.convert(dweight, to: operands[1].type.dtype),
    ]
  }

  /// Split rows leave partial sums of the weight's gradient.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let (all, kept, row) = Rows.labels(operands[0].rank, dimensions)
    return ShardingRule(operands: [all, row, kept, all], results: [all, row], whole: Set(row))
  }
}
