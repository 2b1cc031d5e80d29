import PandoIR

/// The means of as many windows as the output has places: window i of n goes from element ⌊i · size / n⌋ to before
/// ⌈(i + 1) · size / n⌉.
///
/// Operand: x [N, C, spatial…]; result: y [N, C, output…]. PyTorch: `F.adaptive_avg_pool2d`.
public struct AdaptiveAveragePool: CompositeOperation {
  public static let name = "adaptive_average_pool"
  public static let operandCount: Int? = 1

  /// The spatial sizes of the result.
  public let output: [Int]

  /// A pooling to spatial sizes `output`.
  public init(output: [Int]) { self.output = output }

  public var precision: PrecisionRule { .follow }

  /// The type of y.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let x = operands[0]
    try checkFloating(x, "x")
    guard !output.isEmpty, x.rank == output.count + 2 else {
      throw TypeError(self, "x must be [samples, channels] and \(output.count) spatial dimensions, got \(x)")
    }
    // More places than elements are allowed, but not without bound: a table of one dimension's places is made.
    guard output.allSatisfy({ $0 > 0 && $0 <= 1 << 16 }), x.shape.dropFirst(2).allSatisfy({ $0 > 0 }) else {
      throw TypeError(
        self,
        "the output \(output) must have 1 to \(1 << 16) places along each dimension, and x elements; got \(x)"
      )
    }
    return [x.with(shape: x.shape.prefix(2) + output)]
  }

  /// One mean over all; windows of one size where the output divides the input; otherwise a product with a matrix of
  /// shares for each dimension.
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let type = try resultTypes(operands.map(\.type))[0]
    let input = Array(operands[0].type.shape.dropFirst(2))
    var y = try graph.widen(operands[0])
    if output.allSatisfy({ $0 == 1 }) {
      y = try graph.reshape(graph.mean(y, Array(2..<type.rank)), type.shape)
    } else if zip(input, output).allSatisfy({ $0.isMultiple(of: $1) }) {
      y = try graph.emit(AveragePool(PoolingWindow(size: zip(input, output).map { $0 / $1 })), y)
    } else {
      for dimension in 2..<type.rank where y.type.shape[dimension] != type.shape[dimension] {
        y = try Self.average(y, dimension, type.shape[dimension], in: &graph)
      }
    }
    return [try graph.convert(y, to: type.dtype)]
  }

  /// Brings one dimension of x to `places` means.
  private static func average(
    _ x: Value, _ dimension: Int, _ places: Int, in graph: inout GraphBuilder
  ) throws(TypeError) -> Value {
    let size = x.type.shape[dimension]
    var shares = [Double](repeating: 0, count: size * places)
    for place in 0..<places {
      let range = place * size / places..<((place + 1) * size + places - 1) / places
      for element in range { shares[element * places + place] = 1 / Double(range.count) }
    }
    let matrix = try graph.table([size, places], shares, x.type.dtype)
    let labels = ShardingRule.labels(x.type.rank)
    let taken = Array(labels)[dimension]
    let result = labels.replacing(String(taken), with: "z")
    return try graph.emit(Contraction(lhs: labels, rhs: "\(taken)z", result: result), x, matrix)
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = PoolingWindow(size: output).labels()
    return ShardingRule(operands: [labels.x], results: [labels.y], whole: labels.whole)
  }
}
