import PandoIR

/// The cross entropy between a label and the softmax of its row of logits.
///
/// Operands: logits [..., C], labels [...] (`int32` or `int64`, from 0 to C - 1). Results: the loss of each row, and the
/// logarithm of the sum of the exponentials of its logits, both [...] in the accumulator type. The mean over the rows
/// that count is the caller's.
///
/// A row whose label is `ignoredLabel` has loss 0 and no gradient. Any other label outside 0..<C gives NaN as loss and
/// gradient of its row, so that bad data are seen and not trained on.
public struct CrossEntropy: CompositeOperation {
  public static let name = "cross_entropy"
  public static let operandCount: Int? = 2

  /// The share of the target that is spread evenly over all classes, from 0 to 1. Szegedy et al.: Rethinking the
  /// Inception architecture (2015).
  public let labelSmoothing: Double
  /// The label of rows that do not count; `nil` for none.
  public let ignoredLabel: Int?

  /// A cross entropy.
  public init(labelSmoothing: Double = 0, ignoredLabel: Int? = nil) {
    self.labelSmoothing = labelSmoothing
    self.ignoredLabel = ignoredLabel
  }

  /// The types of the losses and of the logarithms.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let rows = try LabelledRows(self, operands, labelSmoothing, ignoredLabel)
    return [rows.statistics, rows.statistics]
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let rows = try LabelledRows(self, operands.map(\.type), labelSmoothing, ignoredLabel)
    let logits = try graph.widen(operands[0])
    let maximum = try graph.reduce(.maximum, logits, [rows.last])
    let x = try graph.subtract(logits, rows.spread(maximum, in: &graph))
    let sum = try graph.reduce(.sum, graph.unary(.exponential, x), [rows.last])
    let logarithm = try graph.unary(.logarithm, sum)

    let zero = try graph.constant(0, like: x)
    let chosen = try graph.select(rows.isChosen(operands[1], in: &graph), x, zero)
    var fit = try graph.reduce(.sum, chosen, [rows.last])
    if labelSmoothing > 0 {
      fit = try graph.add(
        graph.scale(fit, 1 - labelSmoothing), graph.scale(graph.mean(x, [rows.last]), labelSmoothing))
    }
    let loss = try rows.masked(graph.subtract(logarithm, fit), labels: operands[1], in: &graph)
    return [loss, try graph.add(maximum, logarithm)]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (logits, labels, logsumexp) = (operands[0], operands[1], results[1])
    var dlogits = try graph.emit(
      CrossEntropyGradient(labelSmoothing: labelSmoothing, ignoredLabel: ignoredLabel), logits, labels,
      logsumexp, cotangents[0])
    if !graph.isZero(cotangents[1]) {
      // Second derivatives only: the logarithm's slope by the logits is their softmax.
      let rows = try LabelledRows(self, operands.map(\.type), labelSmoothing, ignoredLabel)
      let share = try rows.softmax(logits, logsumexp, in: &graph)
      let term = try graph.multiply(share, rows.spread(cotangents[1], in: &graph))
      dlogits = try graph.convert(graph.add(graph.widen(dlogits), term), to: logits.type.dtype)
    }
    return [dlogits, nil]
  }

  /// Rows are independent; the classes stay whole.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let (rows, classes) = LabelledRows.labels(operands[0])
    return ShardingRule(operands: [rows + [classes], rows], results: [rows, rows], whole: [classes])
  }
}

/// The gradient of `CrossEntropy` by its first result: operands logits, labels, the logarithms of the sums and the
/// cotangents of the losses; result the cotangent of the logits.
public struct CrossEntropyGradient: CompositeOperation {
  public static let name = "cross_entropy_gradient"
  public static let operandCount: Int? = 4

  /// As in the forward operation.
  public let labelSmoothing: Double
  /// As in the forward operation.
  public let ignoredLabel: Int?

  /// The gradient of a cross entropy with the same attributes.
  public init(labelSmoothing: Double = 0, ignoredLabel: Int? = nil) {
    self.labelSmoothing = labelSmoothing
    self.ignoredLabel = ignoredLabel
  }

  public var traits: Traits { .inPlace }

  /// The type of the logits.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let rows = try LabelledRows(self, operands, labelSmoothing, ignoredLabel)
    try check(operands[2], is: rows.statistics, "the logarithm of the sums")
    try check(operands[3], is: rows.statistics, "the cotangent")
    return [operands[0]]
  }

  /// dloss (softmax - target), where the target is 1 - smoothing for the label, and smoothing / C for every class.
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let (logits, labels) = (operands[0], operands[1])
    let rows = try LabelledRows(self, operands.map(\.type), labelSmoothing, ignoredLabel)
    let share = try rows.softmax(logits, operands[2], in: &graph)
    let floor = labelSmoothing / Double(rows.classes)
    let target = try graph.select(
      rows.isChosen(labels, in: &graph), graph.constant(1 - labelSmoothing + floor, like: share),
      graph.constant(floor, like: share))
    let dloss = try rows.masked(operands[3], labels: labels, in: &graph)
    let dx = try graph.multiply(rows.spread(dloss, in: &graph), graph.subtract(share, target))
    return [try graph.convert(dx, to: logits.type.dtype)]
  }

  /// Rows are independent; the classes stay whole.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let (rows, classes) = LabelledRows.labels(operands[0])
    return ShardingRule(
      operands: [rows + [classes], rows, rows, rows], results: [rows + [classes]], whole: [classes])
  }
}
