import PandoIR

/// Rows of logits [..., C] with a label each, as cross entropy and its gradient see them.
struct LabelledRows {
  let logits: TensorType
  let ignoredLabel: Int?

  /// Checks the operands and the attributes.
  init(
    _ operation: some CompositeOperation, _ operands: [TensorType], _ smoothing: Double,
    _ ignoredLabel: Int?
  ) throws(TypeError) {
    let (logits, labels) = (operands[0], operands[1])
    try operation.checkFloating(logits, "the logits")
    guard logits.rank >= 2, let classes = logits.shape.last, classes > 0 else {
      throw TypeError(operation, "the logits must be [..., C] with at least one class, got \(logits)")
    }
    let rows = Array(logits.shape.dropLast())
    guard labels.dtype == .int32 || labels.dtype == .int64, labels.shape == rows else {
      let wanted = [DType.int32, .int64].map { TensorType(rows, $0).description }.joined(separator: " or ")
      throw TypeError(
        operation,
        "the labels must be one class number for each row, \(wanted), for the logits \(logits), got \(labels)"
      )
    }
    guard (0...1).contains(smoothing) else {
      throw TypeError(operation, "label smoothing must be from 0 to 1, got \(smoothing)")
    }
    self.logits = logits
    self.ignoredLabel = ignoredLabel
  }

  var classes: Int { logits.shape.last! }
  /// The dimension of the classes.
  var last: Int { logits.rank - 1 }
  var statistics: TensorType { TensorType(Array(logits.shape.dropLast()), logits.dtype.accumulator) }

  /// Labels of the rows' dimensions, and of the classes' behind them.
  static func labels(_ logits: TensorType) -> (rows: String, classes: Character) {
    (ShardingRule.labels(max(0, logits.rank - 1), from: 1), "a")
  }

  /// One number a row, repeated for every class.
  func spread(_ value: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.broadcast(value, to: logits.shape, dimensions: Array(0..<last))
  }

  /// exp(logits - logsumexp)
  func softmax(
    _ logits: Value, _ logsumexp: Value, in graph: inout GraphBuilder
  ) throws(TypeError) -> Value {
    try graph.unary(
      .exponential, graph.subtract(graph.widen(logits), spread(logsumexp, in: &graph)))
  }

  /// Whether each class is its row's label.
  func isChosen(_ labels: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    let numbers = try graph.iota(logits.with(dtype: labels.type.dtype), dimension: last)
    return try graph.compare(.equal, spread(labels, in: &graph), numbers)
  }

  /// One number a row, but 0 where the label is ignored, and NaN where it is no class.
  func masked(_ value: Value, labels: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    let isClass = try graph.binary(
      .and, graph.compare(.greaterOrEqual, labels, graph.constant(0, like: labels)),
      graph.compare(.less, labels, graph.constant(Double(classes), like: labels)))
    let checked = try graph.select(isClass, value, graph.constant(.nan, like: value))
    guard let ignoredLabel else { return checked }
    let isIgnored = try graph.compare(
      .equal, labels, graph.constant(Double(ignoredLabel), like: labels))
    return try graph.select(isIgnored, graph.constant(0, like: value), checked)
  }
}
