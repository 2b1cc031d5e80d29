import PandoIR

/// Shifts and scales each group of channels of each sample to mean 0 and variance 1, then applies a weight and a bias
/// to each channel.
///
/// Operands: x [N, C, …], weight [C], bias [C]; C is a multiple of `groups`. Results: y, and the mean and the
/// reciprocal standard deviation [N, groups] in the accumulator type of x. With `groups` = C this is instance norm.
/// Wu, He: Group normalization (2018).
public struct GroupNorm: CompositeOperation {
  public static let name = "group_norm"
  public static let operandCount: Int? = 3

  /// How many groups the channels form, neighbours together.
  public let groups: Int
  /// Added to the (biased) variance.
  public let epsilon: Double

  /// A group norm.
  public init(groups: Int, epsilon: Double = 1e-5) {
    self.groups = groups
    self.epsilon = epsilon
  }

  /// The parameters stay in float32, and so do the statistics.
  public var precision: PrecisionRule { PrecisionRule(.follow, keeping: [1, 2]) }

  /// The types of y, mean and reciprocal standard deviation.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try check(epsilon: epsilon)
    let grouping = try Grouping(self, operands[0], groups)
    try checkParameter(operands[1], shape: grouping.channelShape, for: operands[0], "the weight")
    try check(operands[2], is: operands[1], "the bias")
    return [operands[0], grouping.statistics, grouping.statistics]
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let grouping = try Grouping(self, operands[0].type, groups)
    let x = try grouping.grouped(operands[0], in: &graph)
    let mean = try graph.mean(x, Grouping.reduced)
    let centred = try graph.subtract(x, grouping.spread(mean, in: &graph))
    let variance = try graph.mean(graph.multiply(centred, centred), Grouping.reduced)
    let rstd = try graph.reciprocalDeviation(variance, epsilon)
    let unit = try graph.multiply(centred, grouping.spread(rstd, in: &graph))
    let y = try graph.add(
      graph.multiply(unit, grouping.perChannel(operands[1], in: &graph)),
      grouping.perChannel(operands[2], in: &graph))
    return [try grouping.restored(y, in: &graph), mean, rstd]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (x, mean, rstd) = (operands[0], results[1], results[2])
    let grouping = try Grouping(self, x.type, groups)
    var gradients = try graph.emit(
      GroupNormGradient(groups: groups), operands: [x, operands[1], mean, rstd, cotangents[0]])
    if !graph.isZero(cotangents[1]) || !graph.isZero(cotangents[2]) {
      let statistics = StatisticsCotangent(
        mean: cotangents[1], spread: .reciprocalDeviation(rstd, cotangent: cotangents[2]))
      let dx = try statistics.added(
        to: grouping.grouped(gradients[0], in: &graph), x: grouping.grouped(x, in: &graph), center: mean,
        reduced: Grouping.reduced, in: &graph)
      gradients[0] = try grouping.restored(dx, in: &graph)
    }
    return gradients
  }

  /// Samples are independent; groups, and what they take together, stay whole.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = Grouping.labels(operands[0].rank)
    return ShardingRule(
      operands: [labels.all, labels.channel, labels.channel],
      results: [labels.all, labels.statistics, labels.statistics], whole: labels.whole)
  }
}

/// The gradient of `GroupNorm` by its first result: operands x, weight, mean, reciprocal standard deviation and the
/// cotangent of y; results the cotangents of x, weight and bias.
public struct GroupNormGradient: CompositeOperation {
  public static let name = "group_norm_gradient"
  public static let operandCount: Int? = 5

  /// As in the forward operation.
  public let groups: Int

  /// The gradient of a group norm with as many groups.
  public init(groups: Int) { self.groups = groups }

  /// The parameters stay in float32, and so do the statistics.
  public var precision: PrecisionRule { PrecisionRule(.follow, keeping: [1, 2, 3]) }

  /// The types of x, weight and bias.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let grouping = try Grouping(self, operands[0], groups)
    try checkParameter(operands[1], shape: grouping.channelShape, for: operands[0], "the weight")
    try check(operands[2], is: grouping.statistics, "the mean")
    try check(operands[3], is: grouping.statistics, "the reciprocal standard deviation")
    try check(operands[4], is: operands[0], "the cotangent")
    return [operands[0], operands[1], operands[1]]
  }

  /// As for `LayerNormGradient`, with a group in place of a row.
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let grouping = try Grouping(self, operands[0].type, groups)
    let x = try grouping.grouped(operands[0], in: &graph)
    let dy = try grouping.grouped(operands[4], in: &graph)
    let rstd = try grouping.spread(operands[3], in: &graph)
    let unit = try graph.multiply(graph.subtract(x, grouping.spread(operands[2], in: &graph)), rstd)
    let g = try graph.multiply(dy, grouping.perChannel(operands[1], in: &graph))
    let level = try grouping.spread(graph.mean(g, Grouping.reduced), in: &graph)
    let slope = try grouping.spread(graph.mean(graph.multiply(g, unit), Grouping.reduced), in: &graph)
    let dx = try graph.multiply(
      rstd, graph.subtract(graph.subtract(g, level), graph.multiply(unit, slope)))
    let dweight = try graph.reshape(
      graph.reduce(.sum, graph.multiply(dy, unit), Grouping.perChannelReduced), grouping.channelShape)
    let dbias = try graph.reshape(
      graph.reduce(.sum, dy, Grouping.perChannelReduced), grouping.channelShape)
    return [
      try grouping.restored(dx, in: &graph),
      try graph.convert(dweight, to: operands[1].type.dtype),
      try graph.convert(dbias, to: operands[1].type.dtype),
    ]
  }

  /// Split samples leave partial sums of the weight's and bias's gradients.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = Grouping.labels(operands[0].rank)
    return ShardingRule(
      operands: [labels.all, labels.channel, labels.statistics, labels.statistics, labels.all],
      results: [labels.all, labels.channel, labels.channel], whole: labels.whole)
  }
}

/// A tensor [N, C, …] seen as [N, groups, C / groups, everything else].
private struct Grouping {
  let x: TensorType
  let shape: [Int]

  /// What a group takes together.
  static let reduced = [2, 3]
  /// What a channel takes together.
  static let perChannelReduced = [0, 3]

  init(_ operation: some CompositeOperation, _ x: TensorType, _ groups: Int) throws(TypeError) {
    try operation.checkFloating(x, "x")
    guard x.rank >= 2, groups >= 1, x.shape[1].isMultiple(of: groups) else {
      throw TypeError(
        operation, "x must be [N, C, …] with C a multiple of the \(groups) groups, got \(x)")
    }
    let rest = x.shape[2...].reduce(1, *)
    guard x.shape[1] > 0, rest > 0 else {
      throw TypeError(operation, "the groups of \(x) have no elements, and so no mean")
    }
    self.x = x
    shape = [x.shape[0], groups, x.shape[1] / groups, rest]
  }

  var channelShape: [Int] { [x.shape[1]] }
  var statistics: TensorType { TensorType([shape[0], shape[1]], x.dtype.accumulator) }

  func grouped(_ value: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.reshape(graph.widen(value), shape)
  }

  func restored(_ value: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.convert(graph.reshape(value, x.shape), to: x.dtype)
  }

  func spread(_ value: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.broadcast(value, to: shape, dimensions: [0, 1])
  }

  func perChannel(_ value: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    let split = try graph.reshape(graph.widen(value), [shape[1], shape[2]])
    return try graph.broadcast(split, to: shape, dimensions: [1, 2])
  }

  static func labels(_ rank: Int) -> (
    all: String, channel: String, statistics: String, whole: Set<Character>
  ) {
    let all = ShardingRule.labels(rank + 1)
    let x = String(all.dropLast())
    return (
      x, String(x.dropFirst().prefix(1)), String(x.prefix(1)) + String(all.suffix(1)), Set(all.dropFirst())
    )
  }
}
