import PandoIR

/// Adds updates to a tensor at the places along one dimension that indices name.
///
/// Operands: x, indices of int32 or int64, and updates of the shape that a `Gather` of x by the indices has:
/// `x[b, m, indices[b, k], r] += updates[b, m, k, r]`. Updates whose index is outside are left out, as in StableHLO;
/// those that meet at one place are all added.
public struct ScatterAdd: Operation {
  public static let name = "scatter_add"
  public static let operandCount: Int? = 3

  /// The dimension of x that is indexed.
  public let axis: Int
  /// How many leading dimensions x and the indices share; at most `axis`.
  public let batchDimensions: Int

  /// A scatter along `axis`.
  public init(axis: Int, batchDimensions: Int = 0) {
    self.axis = axis
    self.batchDimensions = batchDimensions
  }

  public var traits: Traits { .inPlace }

  /// The type of x, numbers of any kind.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (x, updates) = (operands[0], operands[2])
    guard x.dtype != .bool else { throw TypeError(self, "adds numbers, got \(x)") }
    let expected = x.with(shape: try shape(operands).taken)
    guard updates == expected else {
      throw TypeError(
        self, "the updates must be \(expected) for \(x) and indices \(operands[1]), got \(updates)")
    }
    return [x]
  }

  private func shape(_ operands: [TensorType]) throws(TypeError) -> GatherShape {
    try GatherShape(
      self, tensor: operands[0], indices: operands[1], axis: axis, batchDimensions: batchDimensions)
  }

  /// The cotangent passes through to x; updates gather theirs, and 0 where they were left out.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (dy, indices, updates) = (cotangents[0], operands[1], operands[2].type)
    let taken = try graph.gather(dy, indices, axis: axis, batchDimensions: batchDimensions)
    let size = try graph.constant(Double(operands[0].type.shape[axis]), like: indices)
    let isInside = try graph.binary(
      .and, graph.compare(.greaterOrEqual, indices, graph.constant(0, like: indices)),
      graph.compare(.less, indices, size))
    let spread = try graph.broadcast(
      isInside, to: updates.shape, dimensions: shape(operands.map(\.type)).indexDimensions)
    return [dy, nil, try graph.select(spread, taken, graph.constant(0, like: taken))]
  }

  /// Any dimension may be split but the indexed one and those of the indices alone, whose parts would add x twice.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    guard let shape = try? shape(operands) else { return ShardingRule(operands: [], results: []) }
    return ShardingRule(
      operands: [shape.tensorLabels, shape.indicesLabels, shape.takenLabels],
      results: [shape.tensorLabels], whole: Set(shape.indexLabels + String(shape.axisLabel)),
      linear: [[0, 2]])
  }

  /// One addition for each update.
  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: operands[2].count, operands: operands, results: results)
  }
}
