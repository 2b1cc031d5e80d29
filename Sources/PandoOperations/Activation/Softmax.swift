import PandoIR

/// exp(x) divided by its sum along one dimension; the largest element is subtracted first, so nothing overflows.
///
/// Elements of minus infinity get zero; where all along the dimension are minus infinity the result is NaN.
public struct Softmax: CompositeOperation {
  public static let name = "softmax"
  public static let operandCount: Int? = 1

  /// The dimension along which results sum to 1.
  public let dimension: Int

  /// A softmax along `dimension`.
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
    let power = try graph.unary(.exponential, x)
    let sum = try graph.sumAlong(dimension, power)
    return [try graph.convert(graph.divide(power, sum), to: operands[0].type.dtype)]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    [try graph.emit(SoftmaxGradient(dimension: dimension), results[0], cotangents[0])]
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    .along(dimension, rank: operands[0].rank, operandCount: 1)
  }
}

/// The gradient of `Softmax`: operands the result y and its cotangent, result the cotangent of x.
public struct SoftmaxGradient: CompositeOperation {
  public static let name = "softmax_gradient"
  public static let operandCount: Int? = 2

  /// As in the forward operation.
  public let dimension: Int

  /// The gradient of a softmax along `dimension`.
  public init(dimension: Int) { self.dimension = dimension }

  public var traits: Traits { .inPlace }

  /// The operands' one floating-point type.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try checkFloating(operands[0], "the softmax")
    try check(dimension: dimension, of: operands[0])
    try check(operands[1], is: operands[0], "the cotangent")
    return [operands[0]]
  }

  /// y (dy - sum(y dy))
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let (y, dy) = (try graph.widen(operands[0]), try graph.widen(operands[1]))
    let sum = try graph.sumAlong(dimension, graph.multiply(y, dy))
    return [
      try graph.convert(graph.multiply(y, graph.subtract(dy, sum)), to: operands[0].type.dtype)
    ]
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    .along(dimension, rank: operands[0].rank, operandCount: 2)
  }
}

extension GraphBuilder {
  /// `x` less its largest element along `dimension`.
  mutating func subtractMaximum(_ x: Value, along dimension: Int) throws(TypeError) -> Value {
    let maximum = try reduce(.maximum, x, [dimension])
    return try subtract(x, broadcast(maximum, to: x.type.shape, restoring: [dimension]))
  }

  /// The sum along `dimension`, repeated to the shape of `x`.
  mutating func sumAlong(_ dimension: Int, _ x: Value) throws(TypeError) -> Value {
    try broadcast(reduce(.sum, x, [dimension]), to: x.type.shape, restoring: [dimension])
  }
}

extension ShardingRule {
  /// The rule of an operation on equal shapes with one result that needs all of `dimension`.
  static func along(_ dimension: Int, rank: Int, operandCount: Int) -> ShardingRule {
    var rule = ShardingRule.elementwise(rank: rank, operandCount: operandCount)
    let labels = Array(ShardingRule.labels(rank))
    if labels.indices.contains(dimension) { rule.whole = [labels[dimension]] }
    return rule
  }
}
