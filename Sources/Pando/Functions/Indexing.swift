import PandoIR
import PandoOperations

/// The rows of a table that indices name.
///
/// - Parameters:
///   - indices: `[…]`, int32 or int64.
///   - table: `[rows, width]`
/// - Returns: `[…, width]`
public func embedding(
  _ indices: Tensor, _ table: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor { .emit(Gather(axis: 0), [table, indices], file: file, line: line) }

extension Tensor {
  /// The slices along a dimension that indices name: the dimension is replaced by the shape of `indices`.
  ///
  /// - Parameters:
  ///   - indices: int32 or int64; one outside is moved to the nearest inside.
  ///   - shared: how many leading dimensions the tensor and the indices have in common, at most `dimension`.
  public func take(
    _ indices: Tensor, _ dimension: Int, sharing shared: Int = 0, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    .emit(
      Gather(axis: normalized(dimension), batchDimensions: shared), [self, indices], file: file, line: line)
  }

  /// This tensor with updates added at the places along a dimension that indices name.
  ///
  /// - Parameters:
  ///   - updates: of the shape of what `take` gives for the same indices; one whose index is outside is left out.
  ///   - shared: as in `take`.
  public func adding(
    _ updates: Tensor, at indices: Tensor, _ dimension: Int, sharing shared: Int = 0,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    .emit(
      ScatterAdd(axis: normalized(dimension), batchDimensions: shared), [self, indices, updates], file: file,
      line: line)
  }

  /// The `k` largest elements along a dimension, the largest first, and their places as int32. Of equal elements the one
  /// at the lower place comes first.
  public func topK(
    _ k: Int, _ dimension: Int = -1, file: StaticString = #fileID, line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    let results = Tensor.emit(
      TopK(k, dimension: normalized(dimension)), [self], results: 2, file: file, line: line)
    return (results[0], results[1])
  }

  /// Running sums along a dimension.
  ///
  /// - Parameter exclusive: whether an element is left out of its own sum.
  public func cumulativeSum(
    _ dimension: Int, exclusive: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    .emit(CumulativeSum(normalized(dimension), exclusive: exclusive), [self], file: file, line: line)
  }

  /// The numbers 0, 1, 2, … along a dimension, the same along all others.
  public static func iota(_ shape: [Int], _ dimension: Int, dtype: DType = .int32) -> Tensor {
    .emit(Iota(TensorType(shape, dtype), dimension: dimension), [])
  }

  /// This tensor, whose dimensions have names (`samples`, `expert`, `time`): where a program is spread over ranks, a
  /// strategy maps names to the axes of a mesh. Alone it does nothing.
  ///
  /// - Parameter names: one for each dimension; `nil` for one that is not cut.
  public func named(_ names: String?..., file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    .emit(NameDimensions(names), [self], file: file, line: line)
  }
}
