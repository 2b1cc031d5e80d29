import PandoIR

/// The dimensions of a tensor [N, C, …] that batch norm takes together for each channel.
struct Channels {
  let x: TensorType
  /// All dimensions but that of the channels.
  let reduced: [Int]

  /// The channels of `x`, checked to be floating point and of at least two dimensions.
  init(_ operation: some CompositeOperation, _ x: TensorType) throws(TypeError) {
    try operation.checkFloating(x, "x")
    guard x.rank >= 2 else {
      throw TypeError(operation, "x must be [N, C, …] with the channels second, got \(x)")
    }
    self.x = x
    reduced = x.shape.indices.filter { $0 != 1 }
  }

  /// One number a channel, in the accumulator type.
  var statistics: TensorType { TensorType([x.shape[1]], x.dtype.accumulator) }

  /// Throws where a channel has no elements, and so no mean.
  func checkNotEmpty(_ operation: some CompositeOperation) throws(TypeError) {
    guard reduced.allSatisfy({ x.shape[$0] > 0 }) else {
      throw TypeError(operation, "the channels of \(x) have no elements, and so no mean")
    }
  }

  /// One number a channel, in the accumulator type, repeated over the other dimensions.
  func spread(_ value: Value, in graph: inout GraphBuilder) throws(TypeError) -> Value {
    try graph.broadcast(graph.convert(value, to: x.dtype.accumulator), to: x.shape, dimensions: [1])
  }

  /// Labels of all dimensions, of the channels, and of what batch norm takes together.
  static func labels(_ rank: Int) -> (all: String, channel: String, reduced: Set<Character>) {
    let all = ShardingRule.labels(rank)
    let channel = String(all.dropFirst().prefix(1))
    return (all, channel, Set(all).subtracting(channel))
  }
}
