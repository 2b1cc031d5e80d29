import PandoIR

/// The arithmetic of `ReductionKind`: one result from the elements of several ranks, in the fixed order.
package enum TreeReduction {
  /// Elements worked on at a time, so that partial results stay in the cache.
  private static let blockCount = 2048

  /// Traps where elements of this type cannot be reduced so.
  static func check(_ dtype: DType, _ kind: ReductionKind) {
    precondition(
      dtype != .bool || kind == .maximum || kind == .minimum,
      "a \(kind) of bool is not defined: take the maximum (any) or the minimum (all)")
  }

  /// Reduces `count` elements.
  ///
  /// - Parameters:
  ///   - sources: where the elements of each rank begin, in the order of ranks.
  ///   - destinations: where to write the result, each the same. Any may also be a source.
  package static func reduce(
    _ sources: [UnsafeRawPointer], into destinations: [UnsafeMutableRawPointer], count: Int, dtype: DType,
    kind: ReductionKind
  ) {
    check(dtype, kind)
    switch dtype {
    case .float32: native(Float.self, sources, destinations, count, FloatingCombination(kind))
    case .float64: native(Double.self, sources, destinations, count, FloatingCombination(kind))
    case .int32: native(Int32.self, sources, destinations, count, IntegerCombination(kind))
    case .int64: native(Int64.self, sources, destinations, count, IntegerCombination(kind))
    case .int8: native(Int8.self, sources, destinations, count, IntegerCombination(kind))
    case .uint8, .bool: native(UInt8.self, sources, destinations, count, IntegerCombination(kind))
    case .bfloat16: widened(BFloat16Storage.self, sources, destinations, count, kind)
    case .float16: widened(Float16Storage.self, sources, destinations, count, kind)
    }
  }

  /// Reduces the elements of two ranks without making any lists: for small tensors, whose sum takes less time than those.
  /// `result` may be either operand. Types that are added up in another type go the long way.
  package static func reduce(
    _ left: UnsafeRawPointer, _ right: UnsafeRawPointer, into result: UnsafeMutableRawPointer, count: Int,
    dtype: DType, kind: ReductionKind
  ) {
    switch dtype {
    case .float32:
      FloatingCombination<Float>(kind).combine(
        left.assumingMemoryBound(to: Float.self), right.assumingMemoryBound(to: Float.self),
        into: result.assumingMemoryBound(to: Float.self), count)
    default: reduce([left, right], into: [result], count: count, dtype: dtype, kind: kind)
    }
  }

  /// The number of ranks in the left branch of `count` ranks: the largest power of two below it.
  static func leftCount(_ count: Int) -> Int { 1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount) }

  private static func native<Element, Combination: ReductionCombination>(
    _: Element.Type, _ sources: [UnsafeRawPointer], _ destinations: [UnsafeMutableRawPointer], _ count: Int,
    _ combination: Combination
  ) where Combination.Element == Element {
    let stride = MemoryLayout<Element>.stride
    // The common case of two ranks needs no partial results: one pass, straight into the first destination.
    if sources.count == 2, let first = destinations.first {
      let target = first.assumingMemoryBound(to: Element.self)
      combination.combine(
        sources[0].assumingMemoryBound(to: Element.self), sources[1].assumingMemoryBound(to: Element.self),
        into: target, count)
      for other in destinations.dropFirst() { other.copyMemory(from: first, byteCount: count * stride) }
      return
    }
    let levels = sources.count.bitWidth - sources.count.leadingZeroBitCount + 1
    withUnsafeTemporaryAllocation(of: Element.self, capacity: levels * blockCount) { scratch in
      for start in Swift.stride(from: 0, to: count, by: blockCount) {
        let part = min(blockCount, count - start)
        tree(
          sources.map { UnsafePointer($0.assumingMemoryBound(to: Element.self)) + start }[...],
          scratch.baseAddress!, part, combination)
        for destination in destinations {
          (destination + start * stride).copyMemory(from: scratch.baseAddress!, byteCount: part * stride)
        }
      }
    }
  }

  /// Leaves the reduction of `sources` in the first block of `scratch`.
  private static func tree<Combination: ReductionCombination>(
    _ sources: ArraySlice<UnsafePointer<Combination.Element>>,
    _ scratch: UnsafeMutablePointer<Combination.Element>, _ count: Int, _ combination: Combination
  ) {
    let middle = sources.startIndex + (sources.count > 1 ? leftCount(sources.count) : 0)
    switch sources.count {
    case 1: scratch.update(from: sources.first!, count: count)
    case 2: combination.combine(sources.first!, sources.last!, into: scratch, count)
    default:
      tree(sources[..<middle], scratch, count, combination)
      let right = scratch + blockCount
      tree(sources[middle...], right, count, combination)
      combination.combine(scratch, right, into: scratch, count)
    }
  }

  private static func widened<Storage: HalfStorage>(
    _: Storage.Type, _ sources: [UnsafeRawPointer], _ destinations: [UnsafeMutableRawPointer], _ count: Int,
    _ kind: ReductionKind
  ) {
    let combination = FloatingCombination<Float>(kind)
    let widened = sources.count * blockCount
    let levels = sources.count.bitWidth - sources.count.leadingZeroBitCount + 1
    withUnsafeTemporaryAllocation(of: Float.self, capacity: widened + levels * blockCount) { memory in
      let result = memory.baseAddress! + widened
      let blocks = sources.indices.map { UnsafePointer(memory.baseAddress! + $0 * blockCount) }
      for start in stride(from: 0, to: count, by: blockCount) {
        let part = min(blockCount, count - start)
        for (index, source) in sources.enumerated() {
          let bits = source.assumingMemoryBound(to: UInt16.self) + start
          let block = memory.baseAddress! + index * blockCount
          for element in 0..<part { block[element] = Storage.widen(bits[element]) }
        }
        tree(blocks[...], result, part, combination)
        for destination in destinations {
          let bits = destination.assumingMemoryBound(to: UInt16.self) + start
          for element in 0..<part { bits[element] = Storage.narrow(result[element]) }
        }
      }
    }
  }
}
