import PandoIR

/// The largest element of each window. NaN wins; padding never does. Where dilation lets a window meet no element at all,
/// the result is minus infinity, and has no gradient.
///
/// Operand: x [N, C, spatial…]; result: y [N, C, spatial…].
public struct MaxPool: Operation {
  public static let name = "max_pool"
  public static let operandCount: Int? = 1

  /// How the window moves.
  public let window: PoolingWindow

  /// A pooling by `window`.
  public init(_ window: PoolingWindow) { self.window = window }

  public var precision: PrecisionRule { .follow }

  /// The type of y.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [try window.output(operands[0], self)]
  }

  /// The first of a window's largest elements gets the whole cotangent.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    [try graph.emit(MaxPoolGradient(window), operands[0], cotangents[0])]
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = window.labels()
    return ShardingRule(operands: [labels.x], results: [labels.y], whole: labels.whole)
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    window.cost(results[0], operands, results)
  }
}

/// The gradient of `MaxPool`: each window's cotangent goes to the first, in row-major order, of its largest elements (the
/// first NaN where there is one).
///
/// Operands: x, and the cotangent dy of what x is pooled to; result: dx.
public struct MaxPoolGradient: Operation {
  public static let name = "max_pool_gradient"
  public static let operandCount: Int? = 2

  /// As in the pooling.
  public let window: PoolingWindow

  /// The gradient of a pooling by `window`.
  public init(_ window: PoolingWindow) { self.window = window }

  public var precision: PrecisionRule { .follow }

  /// The type of x.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try window.check(operands[1], from: operands[0], "dy", self)
    return [operands[0]]
  }

  /// It is linear in dy, and does not change with x but where a window's largest element does.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    [nil, try graph.emit(MaxPoolSelect(window), operands[0], cotangents[0])]
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = window.labels()
    return ShardingRule(operands: [labels.x, labels.y], results: [labels.x], whole: labels.whole)
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    window.cost(operands[1], operands, results)
  }
}

/// Takes from one tensor the elements that stand where another has the largest of each window: what `MaxPoolGradient`
/// is the transpose of.
///
/// Operands: x, which decides the places as in `MaxPoolGradient`, and t of the same type; result: one element of t for each
/// window, 0 for one that meets none.
public struct MaxPoolSelect: Operation {
  public static let name = "max_pool_select"
  public static let operandCount: Int? = 2

  /// As in the pooling.
  public let window: PoolingWindow

  /// A selection by `window`.
  public init(_ window: PoolingWindow) { self.window = window }

  public var precision: PrecisionRule { .follow }

  /// The type of what x is pooled to.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (x, t) = (operands[0], operands[1])
    guard t == x else { throw TypeError(self, "the tensor to take from must be \(x) as x is, got \(t)") }
    return [try window.output(x, self)]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    [nil, try graph.emit(MaxPoolGradient(window), operands[0], cotangents[0])]
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = window.labels()
    return ShardingRule(operands: [labels.x, labels.x], results: [labels.y], whole: labels.whole)
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    window.cost(results[0], operands, results)
  }
}
