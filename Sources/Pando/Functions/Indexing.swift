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
  public func take(
    _ indices: Tensor, _ dimension: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor { .emit(Gather(axis: normalized(dimension)), [self, indices], file: file, line: line) }
}
