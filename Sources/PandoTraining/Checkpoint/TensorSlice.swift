import PandoData
import PandoIR

/// A box within a tensor, as a shard of a checkpoint holds it.
package struct TensorSlice: Hashable, Sendable {
  /// The tensor's name.
  package let name: String
  /// The whole tensor's type.
  package let type: TensorType
  /// Where the box begins, in each dimension.
  package let offset: [Int]
  /// How large it is, in each dimension.
  package let shape: [Int]

  /// A box; `nil` where it does not lie within the tensor.
  package init?(_ name: String, of type: TensorType, offset: [Int], shape: [Int]) {
    guard offset.count == type.rank, shape.count == type.rank,
      zip(zip(offset, shape), type.shape).allSatisfy({ place, size in
        place.0 >= 0 && place.1 >= 0 && place.0 <= size && place.1 <= size - place.0
      })
    else { return nil }
    (self.name, self.type, self.offset, self.shape) = (name, type, offset, shape)
  }

  /// A whole tensor.
  package init(whole name: String, _ type: TensorType) {
    (self.name, self.type, offset, shape) = (name, type, type.shape.map { _ in 0 }, type.shape)
  }

  /// Some of the box's rows: a range of its first dimension, counted from the box's beginning.
  package func rows(_ rows: Range<Int>) -> TensorSlice {
    precondition(
      shape.count > 0 && rows.lowerBound >= 0 && rows.upperBound <= shape[0], "\(rows) of \(text)")
    var (offset, shape) = (offset, shape)
    offset[0] += rows.lowerBound
    shape[0] = rows.count
    return TensorSlice(name, of: type, offset: offset, shape: shape)!
  }

  /// Whether it is all of the tensor.
  package var isWhole: Bool { shape == type.shape }
  /// The type of what the box holds.
  package var boxType: TensorType { TensorType(shape, type.dtype) }

  /// Elements that two boxes of one tensor have in common.
  package func overlap(_ other: TensorSlice) -> Int {
    shape.indices.reduce(1) { count, dimension in
      let first = max(offset[dimension], other.offset[dimension])
      let end = min(offset[dimension] + shape[dimension], other.offset[dimension] + other.shape[dimension])
      return count * max(0, end - first)
    }
  }

  /// Copies what two boxes of one tensor have in common from the bytes of this one to those of the other.
  package func copy(
    _ source: UnsafeRawBufferPointer, to target: TensorSlice, _ destination: UnsafeMutableRawBufferPointer
  ) {
    precondition(source.count == boxType.byteCount && destination.count == target.boxType.byteCount)
    guard overlap(target) > 0, let from = source.baseAddress, let to = destination.baseAddress else { return }
    copy(from, to: target, to, dimension: 0)
  }

  private func copy(
    _ source: UnsafeRawPointer, to target: TensorSlice, _ destination: UnsafeMutableRawPointer, dimension: Int
  ) {
    guard dimension < shape.count else {
      destination.copyMemory(from: source, byteCount: type.dtype.byteCount)
      return
    }
    let inner = dimension + 1
    let first = max(offset[dimension], target.offset[dimension])
    let end = min(offset[dimension] + shape[dimension], target.offset[dimension] + target.shape[dimension])
    let stride = shape[inner...].reduce(type.dtype.byteCount, *)
    let targetStride = target.shape[inner...].reduce(type.dtype.byteCount, *)
    let (from, to) = (
      source + (first - offset[dimension]) * stride,
      destination + (first - target.offset[dimension]) * targetStride
    )
    // What is whole in both from here on lies together.
    if shape[inner...] == type.shape[inner...], target.shape[inner...] == type.shape[inner...] {
      to.copyMemory(from: from, byteCount: (end - first) * stride)
      return
    }
    for index in 0..<end - first {
      copy(from + index * stride, to: target, to + index * targetStride, dimension: inner)
    }
  }

  /// The box as a shard's metadata hold it: `8:16,0:4 of 32,4`.
  package var text: String {
    zip(offset, shape).map { "\($0):\($0 + $1)" }.joined(separator: ",") + " of "
      + type.shape.map(String.init).joined(separator: ",")
  }

  /// Reads what `text` writes, for a box whose type the shard says; `nil` where the two do not fit.
  package init?(_ name: String, text: String, boxType: TensorType) {
    guard let gap = text.firstRange(of: " of ") else { return nil }
    func numbers(_ text: Substring, separator: Character) -> [Int] {
      text.split(separator: separator, omittingEmptySubsequences: false).map { Int($0) ?? -1 }
    }
    let sizes = numbers(text[gap.upperBound...], separator: ",")
    let ranges = text[..<gap.lowerBound].split(separator: ",").map { numbers($0, separator: ":") }
    guard ranges.allSatisfy({ $0.count == 2 && $0[0] >= 0 && $0[0] <= $0[1] }),
      checkedByteCount(sizes, width: boxType.dtype.byteCount) != nil
    else { return nil }
    self.init(
      name, of: TensorType(sizes, boxType.dtype), offset: ranges.map { $0[0] },
      shape: ranges.map { $0[1] - $0[0] })
    guard self.boxType == boxType else { return nil }
  }
}
