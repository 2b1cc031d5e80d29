import PandoIR

/// The last dimensions of a tensor, which a norm takes together, and those before them.
struct Rows {
  let x: TensorType
  /// Dimensions that number the rows.
  let kept: [Int]
  /// Dimensions that make a row.
  let normalized: [Int]

  /// The rows of `x`, checked to be floating point and not empty.
  init(
    _ operation: some CompositeOperation, _ x: TensorType, _ dimensions: Int
  ) throws(TypeError) {
    try operation.checkFloating(x, "x")
    guard (1...max(1, x.rank)).contains(dimensions), x.rank > 0 else {
      throw TypeError(operation, "cannot take the last \(dimensions) dimensions of \(x) together")
    }
    self.x = x
    kept = Array(0..<x.rank - dimensions)
    normalized = Array(x.rank - dimensions..<x.rank)
    guard normalized.allSatisfy({ x.shape[$0] > 0 }) else {
      throw TypeError(operation, "the rows of \(x), its last \(dimensions) dimensions, have no elements")
    }
  }

  /// The shape of a row.
  var shape: [Int] { Array(x.shape[kept.count...]) }

  /// One number a row.
  var statistics: TensorType { TensorType(kept.map { x.shape[$0] }, x.dtype.accumulator) }

  /// One number a row, repeated along it.
  func spread(_ value: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.broadcast(value, to: x.shape, dimensions: kept)
  }

  /// A row of parameters in the accumulator type, repeated for every row.
  func repeated(_ value: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.broadcast(graph.convert(value, to: x.dtype.accumulator), to: x.shape, dimensions: normalized)
  }

  /// Labels of all dimensions, of those that number the rows, and of those that make a row.
  static func labels(_ rank: Int, _ dimensions: Int) -> (all: String, kept: String, row: String) {
    let all = ShardingRule.labels(rank)
    return (all, String(all.dropLast(dimensions)), String(all.suffix(dimensions)))
  }
}
