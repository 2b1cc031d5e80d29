import PandoIR

/// The sum of each window; padding counts as zeros.
///
/// Operand: x [N, C, spatial…]; result: y [N, C, spatial…].
public struct SumPool: Operation {
  public static let name = "sum_pool"
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

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    [
      try graph.emit(
        SumPoolGradient(window, input: Array(operands[0].type.shape.dropFirst(2))), cotangents[0])
    ]
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = window.labels()
    return ShardingRule(operands: [labels.x], results: [labels.y], whole: labels.whole)
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    window.cost(results[0], operands, results)
  }
}

/// The gradient of `SumPool`: each element gets the cotangents of all windows that hold it.
///
/// Operand: dy [N, C, spatial…]; result: dx [N, C, spatial…].
public struct SumPoolGradient: Operation {
  public static let name = "sum_pool_gradient"
  public static let operandCount: Int? = 1

  /// As in the pooling.
  public let window: PoolingWindow
  /// The spatial sizes of dx, several of which may lead to the same dy where a stride leaves elements over.
  public let input: [Int]

  /// The gradient of a pooling by `window` of spatial sizes `input`.
  public init(_ window: PoolingWindow, input: [Int]) {
    self.window = window
    self.input = input
  }

  public var precision: PrecisionRule { .follow }

  /// The type of dx.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let dy = operands[0]
    guard dy.rank == window.spatial + 2 else {
      throw TypeError(
        self,
        "dy must be [samples, channels] and \(window.spatial) spatial dimensions for the window \(window.size), "
          + "got \(dy)")
    }
    let x = dy.with(shape: dy.shape.prefix(2) + input)
    guard x.isValid else { throw TypeError(self, "dx \(x) is too large, or has a negative size") }
    try window.check(dy, from: x, "dy", self)
    return [x]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [try graph.emit(SumPool(window), cotangents[0])] }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = window.labels()
    return ShardingRule(operands: [labels.y], results: [labels.x], whole: labels.whole)
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    window.cost(operands[0], operands, results)
  }
}
