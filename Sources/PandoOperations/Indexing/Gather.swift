import PandoIR

/// Takes the slices of a tensor that indices name, along one dimension.
///
/// Operands: x, and indices of int32 or int64. The indexed dimension is replaced by the indices' dimensions; leading
/// batch dimensions are shared: `y[b, m, k, r] = x[b, m, indices[b, k], r]`. An index outside is moved to the nearest
/// inside, as in StableHLO. With axis 0 this is an embedding, with as many batch dimensions as the indices have before
/// their last it takes along a dimension.
public struct Gather: Operation {
  public static let name = "gather"
  public static let operandCount: Int? = 2

  /// The dimension of x that is indexed.
  public let axis: Int
  /// How many leading dimensions x and the indices share; at most `axis`.
  public let batchDimensions: Int

  /// A gather along `axis`.
  public init(axis: Int, batchDimensions: Int = 0) {
    self.axis = axis
    self.batchDimensions = batchDimensions
  }

  public var traits: Traits { .movement }

  /// `x.shape[..<axis] + indices.shape[batchDimensions...] + x.shape[(axis + 1)...]`
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [operands[0].with(shape: try shape(operands).taken)]
  }

  private func shape(_ operands: [TensorType]) throws(TypeError) -> GatherShape {
    try GatherShape(
      self, tensor: operands[0], indices: operands[1], axis: axis, batchDimensions: batchDimensions)
  }

  /// Adds the cotangent up where its elements came from.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    guard operands[0].type.dtype.isFloatingPoint else { return [nil, nil] }
    let gradient = GatherGradient(
      axis: axis, batchDimensions: batchDimensions, size: operands[0].type.shape[axis])
    return [try graph.emit(gradient, operands[1], cotangents[0]), nil]
  }

  /// Any dimension but the indexed one may be split.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    guard let shape = try? shape(operands) else { return ShardingRule(operands: [], results: []) }
    return ShardingRule(
      operands: [shape.tensorLabels, shape.indicesLabels], results: [shape.takenLabels],
      whole: [shape.axisLabel], linear: [[0]])
  }

  /// Reads only what is taken.
  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: [operands[1]] + results, results: results)
  }
}

extension GraphBuilder {
  /// The slices of `x` along `axis` that `indices` name; see `Gather`.
  public mutating func gather(
    _ x: Value, _ indices: Value, axis: Int, batchDimensions: Int = 0
  ) throws(TypeError) -> Value {
    try emit(Gather(axis: axis, batchDimensions: batchDimensions), x, indices)
  }
}
