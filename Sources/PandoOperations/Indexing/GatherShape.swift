import PandoIR

/// How the dimensions of a tensor, of indices into it and of what they take correspond.
///
/// With batch dimensions b, other dimensions m before the axis, index dimensions k and the rest r:
///
///     tensor  [b, m, axis, r]
///     indices [b, k]
///     taken   [b, m, k, r]
struct GatherShape {
  let axis: Int
  let batchDimensions: Int
  /// How many index dimensions there are that are not batch dimensions.
  let indexRank: Int
  /// The shape of what is taken.
  let taken: [Int]
  let tensorRank: Int

  /// - Throws: `TypeError` of `operation` where the tensor and the indices do not go together.
  init(
    _ operation: some Operation, tensor: TensorType, indices: TensorType, axis: Int, batchDimensions: Int
  ) throws(TypeError) {
    guard indices.dtype == .int32 || indices.dtype == .int64 else {
      throw TypeError(operation, "the indices must be int32 or int64, got \(indices)")
    }
    guard tensor.shape.indices.contains(axis) else {
      throw TypeError(operation, "\(tensor) has no dimension \(axis) to index")
    }
    guard batchDimensions >= 0, batchDimensions <= axis, batchDimensions <= indices.rank else {
      throw TypeError(
        operation,
        "cannot share \(batchDimensions) leading dimensions between \(tensor) and the indices \(indices): "
          + "give 0 to \(min(axis, indices.rank)) for axis \(axis)")
    }
    guard tensor.shape[..<batchDimensions] == indices.shape[..<batchDimensions] else {
      throw TypeError(
        operation,
        "the first \(batchDimensions) dimensions of \(tensor) and of the indices \(indices) must be equal")
    }
    guard tensor.shape[axis] > 0 else {
      throw TypeError(operation, "dimension \(axis) of \(tensor) is empty: there is nothing to index")
    }
    self.axis = axis
    self.batchDimensions = batchDimensions
    indexRank = indices.rank - batchDimensions
    tensorRank = tensor.rank
    taken =
      Array(tensor.shape[..<axis]) + indices.shape[batchDimensions...] + tensor.shape[(axis + 1)...]
  }

  /// For each dimension of the indices, which dimension of what is taken it becomes.
  var indexDimensions: [Int] { Array(0..<batchDimensions) + (axis..<axis + indexRank) }

  /// One label for each dimension; the axis and the index dimensions are in `axisLabel` and `indexLabels`.
  var tensorLabels: String { ShardingRule.labels(tensorRank) }
  var axisLabel: Character { Array(tensorLabels)[axis] }
  var indexLabels: String { ShardingRule.labels(indexRank, from: tensorRank) }
  var indicesLabels: String { tensorLabels.prefix(batchDimensions) + indexLabels }
  var takenLabels: String {
    tensorLabels.prefix(axis) + indexLabels + tensorLabels.dropFirst(axis + 1)
  }
}
