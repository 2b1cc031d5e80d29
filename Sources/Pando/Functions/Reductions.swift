import PandoIR
import PandoOperations

extension Tensor {
  /// Sum over `dimensions` (all where none is named); negative numbers count from the last.
  public func sum(_ dimensions: [Int]? = nil, keepDimensions: Bool = false) -> Tensor {
    reduce(.sum, dimensions, keepDimensions)
  }

  /// Sum of the squares of all elements, a scalar of the accumulator's type: float32 but for float64.
  public func sumOfSquares() -> Tensor { .emit(SumOfSquares(), [self]) }

  /// Mean over `dimensions` (all where none is named).
  public func mean(_ dimensions: [Int]? = nil, keepDimensions: Bool = false) -> Tensor {
    let places = (dimensions ?? Array(0..<rank)).map(normalized)
    let count = places.reduce(1) { $0 * size($1) }
    return reduce(.sum, dimensions, keepDimensions) * (1 / Double(Swift.max(1, count)))
  }

  /// Mean squared deviation from the mean over `dimensions`.
  ///
  /// - Parameter correction: subtracted from the count; 1 gives the unbiased estimate, PyTorch's default.
  public func variance(_ dimensions: [Int]? = nil, correction: Int = 1, keepDimensions: Bool = false)
    -> Tensor
  {
    let places = (dimensions ?? Array(0..<rank)).map(normalized)
    let count = places.reduce(1) { $0 * size($1) }
    let deviation = self - mean(places, keepDimensions: true)
    return (deviation * deviation).sum(places, keepDimensions: keepDimensions)
      / Double(Swift.max(1, count - correction))
  }

  /// Largest element over `dimensions` (all where none is named).
  public func max(_ dimensions: [Int]? = nil, keepDimensions: Bool = false) -> Tensor {
    reduce(.maximum, dimensions, keepDimensions)
  }

  /// Smallest element over `dimensions` (all where none is named).
  public func min(_ dimensions: [Int]? = nil, keepDimensions: Bool = false) -> Tensor {
    reduce(.minimum, dimensions, keepDimensions)
  }

  /// The place of the largest element along a dimension, as int32.
  public func argmax(_ dimension: Int = -1) -> Tensor {
    .emit(ArgMax(normalized(dimension)), [self])
  }

  private func reduce(_ function: Reduce.Function, _ dimensions: [Int]?, _ keep: Bool) -> Tensor {
    let places = (dimensions ?? Array(0..<rank)).map(normalized)
    let reduced = Tensor.emit(Reduce(function, places), [self])
    guard keep, reduced.failure == nil else { return reduced }
    return reduced.reshape(shape.indices.map { places.contains($0) ? 1 : shape[$0] })
  }
}
