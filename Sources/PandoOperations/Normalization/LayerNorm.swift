import PandoIR

/// Shifts and scales each row to mean 0 and variance 1, then applies a weight and a bias to each element.
///
/// A row is the last `dimensions` dimensions taken together. Operands: x, weight and bias of the row's shape. Results:
/// y, and for each row the mean and the reciprocal standard deviation 1/√(variance + epsilon), in the accumulator type
/// of x. Ba, Kiros, Hinton: Layer normalization (2016).
public struct LayerNorm: CompositeOperation {
  public static let name = "layer_norm"
  public static let operandCount: Int? = 3

  /// How many dimensions, counted from the last, make a row.
  public let dimensions: Int
  /// Added to the (biased) variance.
  public let epsilon: Double

  /// A layer norm over the last `dimensions` dimensions.
  public init(dimensions: Int = 1, epsilon: Double = 1e-5) {
    self.dimensions = dimensions
    self.epsilon = epsilon
  }

  /// The parameters stay in float32, and so do the statistics.
  public var precision: PrecisionRule { PrecisionRule(.follow, keeping: [1, 2]) }

  /// The types of y, mean and reciprocal standard deviation.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try check(epsilon: epsilon)
    let rows = try Rows(self, operands[0], dimensions)
    try checkParameter(operands[1], shape: rows.shape, for: operands[0], "the weight")
    try check(operands[2], is: operands[1], "the bias")
    return [operands[0], rows.statistics, rows.statistics]
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let rows = try Rows(self, operands[0].type, dimensions)
    let x = try graph.widen(operands[0])
    let mean = try graph.mean(x, rows.normalized)
    let centred = try graph.subtract(x, rows.spread(mean, in: &graph))
    let variance = try graph.mean(graph.multiply(centred, centred), rows.normalized)
    let rstd = try graph.reciprocalDeviation(variance, epsilon)
    let unit = try graph.multiply(centred, rows.spread(rstd, in: &graph))
    let y = try graph.add(
      graph.multiply(unit, rows.repeated(operands[1], in: &graph)), rows.repeated(operands[2], in: &graph))
    return [try graph.convert(y, to: operands[0].type.dtype), mean, rstd]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (x, mean, rstd) = (operands[0], results[1], results[2])
    let rows = try Rows(self, x.type, dimensions)
    var gradients = try graph.emit(
      LayerNormGradient(dimensions: dimensions), operands: [x, operands[1], mean, rstd, cotangents[0]])
    let statistics = StatisticsCotangent(
      mean: cotangents[1], spread: .reciprocalDeviation(rstd, cotangent: cotangents[2]))
    gradients[0] = try statistics.added(
      to: gradients[0], x: x, center: mean, reduced: rows.normalized, in: &graph)
    return gradients
  }

  /// Rows are independent; a row stays whole.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let (all, kept, row) = Rows.labels(operands[0].rank, dimensions)
    return ShardingRule(operands: [all, row, row], results: [all, kept, kept], whole: Set(row))
  }
}

/// The gradient of `LayerNorm` by its first result: operands x, weight, mean, reciprocal standard deviation and the
/// cotangent of y; results the cotangents of x, weight and bias.
public struct LayerNormGradient: CompositeOperation {
  public static let name = "layer_norm_gradient"
  public static let operandCount: Int? = 5

  /// As in the forward operation.
  public let dimensions: Int

  /// The gradient of a layer norm over the last `dimensions` dimensions.
  public init(dimensions: Int = 1) { self.dimensions = dimensions }

  /// The parameters stay in float32, and so do the statistics.
  public var precision: PrecisionRule { PrecisionRule(.follow, keeping: [1, 2, 3]) }

  /// The types of x, weight and bias.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let rows = try Rows(self, operands[0], dimensions)
    try checkParameter(operands[1], shape: rows.shape, for: operands[0], "the weight")
    try check(operands[2], is: rows.statistics, "the mean")
    try check(operands[3], is: rows.statistics, "the reciprocal standard deviation")
    try check(operands[4], is: operands[0], "the cotangent")
    return [operands[0], operands[1], operands[1]]
  }

  /// With x̂ = (x - mean) rstd and g = dy weight: dx = rstd (g - mean(g) - x̂ mean(g x̂)), dweight = Σ dy x̂,
  /// dbias = Σ dy.
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let rows = try Rows(self, operands[0].type, dimensions)
    let (x, dy) = (try graph.widen(operands[0]), try graph.widen(operands[4]))
    let rstd = try rows.spread(operands[3], in: &graph)
    let unit = try graph.multiply(graph.subtract(x, rows.spread(operands[2], in: &graph)), rstd)
    let g = try graph.multiply(dy, rows.repeated(operands[1], in: &graph))
    let level = try rows.spread(graph.mean(g, rows.normalized), in: &graph)
    let slope = try rows.spread(graph.mean(graph.multiply(g, unit), rows.normalized), in: &graph)
    let dx = try graph.multiply(
      rstd, graph.subtract(graph.subtract(g, level), graph.multiply(unit, slope)))
    let dweight = try graph.reduce(.sum, graph.multiply(dy, unit), rows.kept)
    let dbias = try graph.reduce(.sum, dy, rows.kept)
    return [
      try graph.convert(dx, to: operands[0].type.dtype),
      try graph.convert(dweight, to: operands[1].type.dtype),
      try graph.convert(dbias, to: operands[1].type.dtype),
    ]
  }

  /// Split rows leave partial sums of the weight's and bias's gradients.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let (all, kept, row) = Rows.labels(operands[0].rank, dimensions)
    return ShardingRule(
      operands: [all, row, kept, kept, all], results: [all, row, row], whole: Set(row))
  }
}
