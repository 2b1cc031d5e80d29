import PandoIR

/// The mean of each window.
///
/// Operand: x [N, C, spatial…]; result: y [N, C, spatial…]. PyTorch: `F.avg_pool2d`.
public struct AveragePool: CompositeOperation {
  public static let name = "average_pool"
  public static let operandCount: Int? = 1

  /// How the window moves.
  public let window: PoolingWindow
  /// Whether padding counts, as zeros.
  public let countsPadding: Bool

  /// A pooling by `window`.
  public init(_ window: PoolingWindow, countsPadding: Bool = true) {
    self.window = window
    self.countsPadding = countsPadding
  }

  public var precision: PrecisionRule { .follow }

  /// The type of y.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [try window.output(operands[0], self)]
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let x = operands[0].type
    var y = try graph.emit(SumPool(window), graph.widen(operands[0]))
    if countsPadding || (window.low + window.high).allSatisfy({ $0 == 0 }) {
      y = try graph.scale(y, 1 / Double(window.count))
    } else {
      // How many elements a window meets is a product over the dimensions.
      for dimension in 0..<window.spatial {
        let shares = window.shares(x.shape[dimension + 2], y.type.shape[dimension + 2], dimension)
        let table = try graph.table([shares.count], shares, y.type.dtype)
        y = try graph.multiply(y, graph.broadcast(table, to: y.type.shape, dimensions: [dimension + 2]))
      }
    }
    return [try graph.convert(y, to: x.dtype)]
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = window.labels()
    return ShardingRule(operands: [labels.x], results: [labels.y], whole: labels.whole)
  }
}

extension PoolingWindow {
  /// For each of `places` along `dimension`, one over how many of the `count` elements the window meets there; 0 where
  /// dilation lets it meet none.
  fileprivate func shares(_ count: Int, _ places: Int, _ dimension: Int) -> [Double] {
    (0..<places).map { place in
      let start = place * strides[dimension] - low[dimension]
      let met = (0..<size[dimension]).count { (0..<count).contains(start + $0 * dilation[dimension]) }
      return met == 0 ? 0 : 1 / Double(met)
    }
  }
}

extension GraphBuilder {
  /// A constant from its elements in row-major order.
  mutating func table(_ shape: [Int], _ values: [Double], _ dtype: DType) throws(TypeError) -> Value {
    try emit(
      Constant(type: TensorType(shape, dtype), bytes: values.flatMap { ElementBytes.encode($0, as: dtype) }))
  }
}
