import PandoIR

/// This rank's part along a dimension of a tensor that all ranks of its group have.
public struct ShardSlice: CollectiveOperation {
  public static let name = "shard_slice"
  public static let operandCount: Int? = 1

  /// The dimension that is cut.
  public let dimension: Int
  public let axes: [String]
  public let parts: Int

  /// One of `parts` equal parts along `dimension`.
  public init(_ dimension: Int, axes: [String], parts: Int) {
    self.dimension = dimension
    self.axes = axes
    self.parts = parts
  }

  public var traits: Traits { .movement }

  /// The operand's type with the size along `dimension` divided by `parts`.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [try divided(operands[0], dimension)]
  }

  /// The cotangent among zeros, at this rank's place.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let size = results[0].type.shape[dimension]
    let start = try graph.emit(AxisIndex(axes: axes, parts: parts, factor: size))
    var places: [Value] = []
    for other in operands[0].type.shape.indices {
      let place = other == dimension ? start : try graph.constant(0, like: start)
      places.append(try graph.reshape(place, [1]))
    }
    let zeros = try graph.constant(0, like: operands[0])
    return [
      try graph.emit(DynamicUpdateSlice(), zeros, cotangents[0], graph.concatenate(places, 0))
    ]
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: results, results: results)
  }
}
