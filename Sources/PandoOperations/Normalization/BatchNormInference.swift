import PandoIR

/// Batch norm with statistics that are given: (x - mean) weight / √(variance + epsilon) + bias.
///
/// Operands: x [N, C, …], weight, bias, mean and variance [C], each in x's element type or its accumulator type.
public struct BatchNormInference: CompositeOperation {
  public static let name = "batch_norm_inference"
  public static let operandCount: Int? = 5

  /// Added to the variance.
  public let epsilon: Double

  /// A batch norm as after training.
  public init(epsilon: Double = 1e-5) { self.epsilon = epsilon }

  /// The parameters stay in float32, and so do the statistics.
  public var precision: PrecisionRule { PrecisionRule(.follow, keeping: [1, 2, 3, 4]) }

  /// The type of x.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try check(epsilon: epsilon)
    let channels = try Channels(self, operands[0])
    for (type, role) in zip(operands.dropFirst(), ["weight", "bias", "mean", "variance"]) {
      try checkParameter(type, shape: channels.statistics.shape, for: operands[0], "the \(role)")
    }
    return [operands[0]]
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let channels = try Channels(self, operands[0].type)
    let rstd = try graph.reciprocalDeviation(graph.widen(operands[4]), epsilon)
    let factor = try graph.multiply(graph.widen(operands[1]), rstd)
    let centred = try graph.subtract(
      graph.widen(operands[0]), channels.spread(operands[3], in: &graph))
    let y = try graph.add(
      graph.multiply(centred, channels.spread(factor, in: &graph)),
      channels.spread(operands[2], in: &graph))
    return [try graph.convert(y, to: operands[0].type.dtype)]
  }

  /// Every element depends on its channel's numbers only.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let (all, channel, _) = Channels.labels(operands[0].rank)
    return ShardingRule(operands: [all] + Array(repeating: channel, count: 4), results: [all])
  }
}
