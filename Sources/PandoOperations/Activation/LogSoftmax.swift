import PandoIR

/// x less the logarithm of the sum of exp(x) along one dimension: the logarithm of `Softmax`, without its underflow.
public struct LogSoftmax: CompositeOperation {
  public static let name = "log_softmax"
  public static let operandCount: Int? = 1

  /// The dimension along which the exponentials of the results sum to 1.
  public let dimension: Int

  /// A log-softmax along `dimension`.
  public init(dimension: Int) { self.dimension = dimension }

  public var traits: Traits { .inPlace }

  /// The operand's floating-point type.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try checkFloating(operands[0], "the operand")
    try check(dimension: dimension, of: operands[0])
    return operands
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let x = try graph.subtractMaximum(graph.widen(operands[0]), along: dimension)
    let sum = try graph.reduce(.sum, graph.unary(.exponential, x), [dimension])
    let logarithm = try graph.broadcast(
      graph.unary(.logarithm, sum), to: x.type.shape, restoring: [dimension])
    return [try graph.convert(graph.subtract(x, logarithm), to: operands[0].type.dtype)]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    [try graph.emit(LogSoftmaxGradient(dimension: dimension), results[0], cotangents[0])]
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    .along(dimension, rank: operands[0].rank, operandCount: 1)
  }
}

/// The gradient of `LogSoftmax`: operands the result y and its cotangent, result the cotangent of x.
public struct LogSoftmaxGradient: CompositeOperation {
  public static let name = "log_softmax_gradient"
  public static let operandCount: Int? = 2

  /// As in the forward operation.
  public let dimension: Int

  /// The gradient of a log-softmax along `dimension`.
  public init(dimension: Int) { self.dimension = dimension }

  public var traits: Traits { .inPlace }

  /// The operands' one floating-point type.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try checkFloating(operands[0], "the log-softmax")
    try check(dimension: dimension, of: operands[0])
    try check(operands[1], is: operands[0], "the cotangent")
    return [operands[0]]
  }

  /// dy - exp(y) sum(dy)
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let (y, dy) = (try graph.widen(operands[0]), try graph.widen(operands[1]))
    let share = try graph.multiply(graph.unary(.exponential, y), graph.sumAlong(dimension, dy))
    return [try graph.convert(graph.subtract(dy, share), to: operands[0].type.dtype)]
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    .along(dimension, rank: operands[0].rank, operandCount: 2)
  }
}
