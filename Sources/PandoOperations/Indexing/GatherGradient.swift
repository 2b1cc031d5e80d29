import PandoIR

/// The gradient of `Gather`: adds the slices of a cotangent up at the places that indices name, in zeros.
///
/// Operands: the indices of the gather, and the floating-point cotangent of what it took. Sums run in the accumulator
/// type and are rounded once. Unlike a `ScatterAdd` onto a tensor it may be split along the index dimensions, which
/// leaves partial sums: that is how the gradient of an embedding is computed from a part of the batch.
public struct GatherGradient: CompositeOperation {
  public static let name = "gather_gradient"
  public static let operandCount: Int? = 2

  /// The dimension that was indexed.
  public let axis: Int
  /// How many leading dimensions the tensor and the indices share.
  public let batchDimensions: Int
  /// The size of the dimension that was indexed.
  public let size: Int

  /// The gradient of a gather along `axis`, which has `size` places.
  public init(axis: Int, batchDimensions: Int = 0, size: Int) {
    self.axis = axis
    self.batchDimensions = batchDimensions
    self.size = size
  }

  /// The type of the tensor that was indexed.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try checkFloating(operands[1], "the cotangent")
    let tensor = try tensor(operands)
    let shape = try shape(operands, tensor)
    guard shape.taken == operands[1].shape else {
      throw TypeError(
        self,
        "the cotangent must be \(tensor.with(shape: shape.taken)) for \(tensor) and indices \(operands[0]), "
          + "got \(operands[1])")
    }
    return [tensor]
  }

  private func tensor(_ operands: [TensorType]) throws(TypeError) -> TensorType {
    let (indices, taken) = (operands[0], operands[1])
    let behind = axis + indices.rank - batchDimensions
    guard axis >= 0, batchDimensions >= 0, batchDimensions <= indices.rank, behind <= taken.rank else {
      throw TypeError(
        self,
        "\(taken) cannot have been taken along dimension \(axis) by \(indices) with "
          + "\(batchDimensions) batch dimensions")
    }
    return taken.with(shape: Array(taken.shape[..<axis]) + [size] + taken.shape[behind...])
  }

  private func shape(_ operands: [TensorType], _ tensor: TensorType) throws(TypeError) -> GatherShape {
    try GatherShape(
      self, tensor: tensor, indices: operands[0], axis: axis, batchDimensions: batchDimensions)
  }

  /// A scatter onto zeros; indices outside go where the gather took from.
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let (indices, dy) = (operands[0], try graph.widen(operands[1]))
    let zeros = try graph.constant(0, tensor([indices.type, dy.type]))
    let last = try graph.constant(Double(size - 1), like: indices)
    let inside = try graph.binary(
      .minimum, graph.binary(.maximum, indices, graph.constant(0, like: indices)), last)
    let sums = try graph.emit(
      ScatterAdd(axis: axis, batchDimensions: batchDimensions), zeros, inside, dy)
    return [try graph.convert(sums, to: operands[1].type.dtype)]
  }

  /// Its gradient is the gather.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    [nil, try graph.gather(cotangents[0], operands[0], axis: axis, batchDimensions: batchDimensions)]
  }

  /// Any dimension but the indexed one may be split; a split index dimension leaves partial sums.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    guard let tensor = try? tensor(operands), let shape = try? shape(operands, tensor) else {
      return ShardingRule(operands: [], results: [])
    }
    return ShardingRule(
      operands: [shape.indicesLabels, shape.takenLabels], results: [shape.tensorLabels],
      whole: [shape.axisLabel], linear: [[1]])
  }

  /// One addition for each element of the cotangent.
  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: operands[1].count, operands: operands, results: results)
  }
}
