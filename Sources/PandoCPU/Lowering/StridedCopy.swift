import CPandoKernels
import PandoIR

/// A copy of a box between two strided arrays, prepared: what transposing, slicing and joining come down to.
struct StridedCopy {
  private let shape: [Int64]
  private let sourceStrides: [Int64]
  private let destinationStrides: [Int64]
  private let sourceOffset: Int
  private let destinationOffset: Int
  private let elementSize: Int

  /// - Parameters:
  ///   - shape: how many elements are copied along each dimension.
  ///   - source: strides in elements, and the place of the first element.
  ///   - destination: the same.
  init(
    _ shape: [Int], source: [Int], from sourceOffset: Int = 0, destination: [Int],
    to destinationOffset: Int = 0,
    dtype: DType
  ) {
    // Dimensions that follow one another in both arrays are one; this keeps within the kernel's rank.
    var merged: (shape: [Int], source: [Int], destination: [Int]) = ([], [], [])
    for dimension in shape.indices where shape[dimension] != 1 {
      if let last = merged.shape.indices.last,
        merged.source[last] == source[dimension] * shape[dimension],
        merged.destination[last] == destination[dimension] * shape[dimension]
      {
        merged.shape[last] *= shape[dimension]
        merged.source[last] = source[dimension]
        merged.destination[last] = destination[dimension]
      } else {
        merged.shape.append(shape[dimension])
        merged.source.append(source[dimension])
        merged.destination.append(destination[dimension])
      }
    }
    self.shape = merged.shape.kernel
    sourceStrides = merged.source.kernel
    destinationStrides = merged.destination.kernel
    elementSize = dtype.byteCount
    self.sourceOffset = sourceOffset * dtype.byteCount
    self.destinationOffset = destinationOffset * dtype.byteCount
  }

  /// The copy that makes dimension `i` of the (dense) result from dimension `permutation[i]`.
  static func transpose(_ type: TensorType, _ permutation: [Int]) -> StridedCopy {
    let shape = permutation.map { type.shape[$0] }
    let strides = type.strides
    return StridedCopy(
      shape, source: permutation.map { strides[$0] }, destination: TensorType(shape).strides,
      dtype: type.dtype)
  }

  /// Runs the copy; the arrays must not overlap.
  @discardableResult
  func run(from source: UnsafeMutableRawPointer, to destination: UnsafeMutableRawPointer, threads: Int32)
    -> Int32
  {
    shape.withUnsafeBufferPointer { shape in
      sourceStrides.withUnsafeBufferPointer { sourceStrides in
        destinationStrides.withUnsafeBufferPointer { destinationStrides in
          Int32(
            pk_copy_strided(
              destination + destinationOffset, destinationStrides.baseAddress, source + sourceOffset,
              sourceStrides.baseAddress, shape.baseAddress, Int32(shape.count), elementSize, threads
            ).rawValue)
        }
      }
    }
  }
}
