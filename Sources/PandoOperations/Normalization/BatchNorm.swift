import PandoIR

/// Shifts and scales each channel to mean 0 and variance 1 over the batch, then applies a weight and a bias: batch
/// norm as in training.
///
/// Operands: x [N, C, …], weight [C], bias [C]. Results: y, and the mean and the biased variance [C] of the batch, in
/// the accumulator type of x, from which the caller keeps running statistics (PyTorch keeps the unbiased variance).
/// Ioffe, Szegedy: Batch normalization (2015).
public struct BatchNorm: CompositeOperation {
  public static let name = "batch_norm"
  public static let operandCount: Int? = 3

  /// Added to the variance.
  public let epsilon: Double

  /// A batch norm.
  public init(epsilon: Double = 1e-5) { self.epsilon = epsilon }

  /// The parameters stay in float32, and so do the statistics.
  public var precision: PrecisionRule { PrecisionRule(.follow, keeping: [1, 2]) }

  /// The types of y, mean and variance.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try check(epsilon: epsilon)
    let channels = try Channels(self, operands[0])
    try channels.checkNotEmpty(self)
    try checkParameter(operands[1], shape: channels.statistics.shape, for: operands[0], "the weight")
    try check(operands[2], is: operands[1], "the bias")
    return [operands[0], channels.statistics, channels.statistics]
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let channels = try Channels(self, operands[0].type)
    let x = try graph.widen(operands[0])
    let mean = try graph.mean(x, channels.reduced)
    let centred = try graph.subtract(x, channels.spread(mean, in: &graph))
    let variance = try graph.mean(graph.multiply(centred, centred), channels.reduced)
    let factor = try graph.multiply(graph.widen(operands[1]), graph.reciprocalDeviation(variance, epsilon))
    let y = try graph.add(
      graph.multiply(centred, channels.spread(factor, in: &graph)),
      channels.spread(operands[2], in: &graph))
    return [try graph.convert(y, to: operands[0].type.dtype), mean, variance]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (x, mean, variance) = (operands[0], results[1], results[2])
    let channels = try Channels(self, x.type)
    var gradients = try graph.emit(
      BatchNormGradient(epsilon: epsilon), operands: [x, operands[1], mean, variance, cotangents[0]])
    let statistics = StatisticsCotangent(mean: cotangents[1], spread: .variance(cotangent: cotangents[2]))
    gradients[0] = try statistics.added(
      to: gradients[0], x: x, center: mean, reduced: channels.reduced, in: &graph)
    return gradients
  }

  /// Channels are independent. The rest stays whole: a batch split over workers has its statistics reduced where the
  /// partitioner takes the decomposition instead.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let (all, channel, reduced) = Channels.labels(operands[0].rank)
    return ShardingRule(
      operands: [all, channel, channel], results: [all, channel, channel], whole: reduced)
  }
}

/// The gradient of `BatchNorm` by its first result: operands x, weight, mean, biased variance and the cotangent of y;
/// results the cotangents of x, weight and bias.
public struct BatchNormGradient: CompositeOperation {
  public static let name = "batch_norm_gradient"
  public static let operandCount: Int? = 5

  /// As in the forward operation.
  public let epsilon: Double

  /// The gradient of a batch norm with the same epsilon.
  public init(epsilon: Double = 1e-5) { self.epsilon = epsilon }

  /// The parameters stay in float32, and so do the statistics.
  public var precision: PrecisionRule { PrecisionRule(.follow, keeping: [1, 2, 3]) }

  /// The types of x, weight and bias.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try check(epsilon: epsilon)
    let channels = try Channels(self, operands[0])
    try channels.checkNotEmpty(self)
    try checkParameter(operands[1], shape: channels.statistics.shape, for: operands[0], "the weight")
    try check(operands[2], is: channels.statistics, "the mean")
    try check(operands[3], is: channels.statistics, "the variance")
    try check(operands[4], is: operands[0], "the cotangent")
    return [operands[0], operands[1], operands[1]]
  }

  /// With x̂ = (x - mean) rstd: dbias = Σ dy, dweight = Σ dy x̂,
  /// dx = weight rstd (dy - dbias / count - x̂ dweight / count).
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let channels = try Channels(self, operands[0].type)
    let (x, dy) = (try graph.widen(operands[0]), try graph.widen(operands[4]))
    let rstd = try graph.reciprocalDeviation(operands[3], epsilon)
    let centred = try graph.subtract(x, channels.spread(operands[2], in: &graph))
    let unit = try graph.multiply(centred, channels.spread(rstd, in: &graph))
    let dbias = try graph.reduce(.sum, dy, channels.reduced)
    let dweight = try graph.reduce(.sum, graph.multiply(dy, unit), channels.reduced)
    let share = 1 / Double(channels.reduced.reduce(1) { $0 * channels.x.shape[$1] })
    let level = try channels.spread(graph.scale(dbias, share), in: &graph)
    let slope = try channels.spread(graph.scale(dweight, share), in: &graph)
    let factor = try graph.multiply(graph.widen(operands[1]), rstd)
    let dx = try graph.multiply(
      channels.spread(factor, in: &graph),
      graph.subtract(graph.subtract(dy, level), graph.multiply(unit, slope)))
    return [
      try graph.convert(dx, to: operands[0].type.dtype),
      try graph.convert(dweight, to: operands[1].type.dtype),
      try graph.convert(dbias, to: operands[1].type.dtype),
    ]
  }

  /// As the forward operation: channels are independent, the rest stays whole.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let (all, channel, reduced) = Channels.labels(operands[0].rank)
    return ShardingRule(
      operands: [all, channel, channel, channel, all], results: [all, channel, channel], whole: reduced)
  }
}
