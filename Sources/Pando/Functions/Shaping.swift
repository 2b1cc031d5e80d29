import PandoIR
import PandoOperations

extension Tensor {
  /// The elements as another type; see `Convert` for rounding.
  public func cast(_ dtype: DType) -> Tensor {
    dtype == self.dtype ? self : .emit(Convert(to: dtype), [self])
  }

  /// The same elements in another shape; one size may be -1, and follows from the others.
  public func reshape(_ shape: Int..., file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    reshape(shape, file: file, line: line)
  }

  /// The same elements in another shape; one size may be -1, and follows from the others.
  public func reshape(_ shape: [Int], file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    var shape = shape
    if let free = shape.firstIndex(of: -1) {
      let rest = shape.enumerated().reduce(1) { $1.offset == free ? $0 : $0 * $1.element }
      guard rest > 0, type.count.isMultiple(of: rest) else {
        return .failed(
          "reshape", "no size for -1 in \(shape) gives the \(type.count) elements of \(type)", like: self,
          file: file,
          line: line)
      }
      shape[free] = type.count / rest
    }
    return shape == self.shape ? self : .emit(Reshape(shape), [self], file: file, line: line)
  }

  /// Dimensions `first...last` merged into one; negative numbers count from the last.
  public func flatten(from first: Int = 0, to last: Int = -1) -> Tensor {
    let (from, to) = (normalized(first), normalized(last))
    guard shape.indices.contains(from), shape.indices.contains(to), from <= to else { return self }
    return reshape(Array(shape[..<from]) + [shape[from...to].reduce(1, *)] + Array(shape[(to + 1)...]))
  }

  /// Reorders the dimensions: result dimension `i` is dimension `order[i]`.
  public func permute(_ order: Int..., file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    .emit(Transpose(order.map(normalized)), [self], file: file, line: line)
  }

  /// Exchanges two dimensions; negative numbers count from the last.
  public func transpose(
    _ first: Int, _ second: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    var order = Array(0..<rank)
    let (i, j) = (normalized(first), normalized(second))
    guard order.indices.contains(i), order.indices.contains(j) else {
      return .failed(
        "transpose", "\(type) has no dimensions \(first) and \(second)", like: self, file: file, line: line)
    }
    order.swapAt(i, j)
    return .emit(Transpose(order), [self], file: file, line: line)
  }

  /// A dimension of size 1 put in before dimension `dimension`; -1 appends it.
  public func unsqueeze(_ dimension: Int) -> Tensor {
    var shape = shape
    let place = dimension < 0 ? dimension + rank + 1 : dimension
    guard (0...rank).contains(place) else {
      return .failed("unsqueeze", "\(type) has no place \(dimension) for a dimension", like: self)
    }
    shape.insert(1, at: place)
    return reshape(shape)
  }

  /// Without a dimension of size 1.
  public func squeeze(_ dimension: Int) -> Tensor {
    var shape = shape
    let place = normalized(dimension)
    guard shape.indices.contains(place), shape[place] == 1 else {
      return .failed("squeeze", "dimension \(dimension) of \(type) is not of size 1", like: self)
    }
    shape.remove(at: place)
    return reshape(shape)
  }

  /// Elements `from..<to` along a dimension.
  public func slice(
    _ dimension: Int, _ range: Range<Int>, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    var starts = [Int](repeating: 0, count: rank)
    var limits = shape
    let place = normalized(dimension)
    guard shape.indices.contains(place) else {
      return .failed("slice", "\(type) has no dimension \(dimension)", like: self, file: file, line: line)
    }
    (starts[place], limits[place]) = (range.lowerBound, range.upperBound)
    return .emit(
      Slice(starts: starts, limits: limits, strides: starts.map { _ in 1 }), [self], file: file, line: line)
  }

  /// `parts` equal pieces along a dimension.
  public func chunk(
    _ parts: Int, _ dimension: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    let total = size(dimension)
    guard parts > 0, total.isMultiple(of: parts) else {
      let failed = Tensor.failed(
        "chunk", "dimension \(dimension) of \(type) does not divide into \(parts) equal parts", like: self,
        file: file,
        line: line)
      return Array(repeating: failed, count: Swift.max(1, parts))
    }
    let length = total / parts
    return (0..<parts).map { slice(dimension, $0 * length..<($0 + 1) * length, file: file, line: line) }
  }

  func normalized(_ dimension: Int) -> Int { dimension < 0 ? dimension + rank : dimension }
}

/// Joins tensors along a dimension; negative numbers count from the last.
public func concatenate(
  _ tensors: [Tensor], _ dimension: Int = 0, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  guard let first = tensors.first else {
    return .failed("concatenate", "needs at least one tensor", like: Tensor(0), file: file, line: line)
  }
  return .emit(Concatenate(first.normalized(dimension)), tensors, file: file, line: line)
}
