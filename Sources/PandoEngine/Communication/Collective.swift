import PandoIR

/// How the elements of several ranks become one.
///
/// The order is fixed, whatever the communicator, the message's size or the machine: a binary tree over the ranks in
/// which ranks `low ..< high` are split at `low` plus the largest power of two that is smaller than their number. Four
/// ranks give `(x0 + x1) + (x2 + x3)`, seven `((x0 + x1) + (x2 + x3)) + ((x4 + x5) + x6)`. `bfloat16` and `float16` are
/// added up in float32 and rounded once, at the root. So every rank of every run gets the same bits.
public enum ReductionKind: String, Hashable, Sendable, Codable, CaseIterable {
  /// Integers wrap.
  case sum
  /// Integers wrap.
  case product
  /// NaN wins.
  case maximum
  /// NaN wins.
  case minimum
}

/// What all ranks of a communicator do together. All name the same kind and the same sizes, in the same order.
///
/// The memory belongs to the caller, who leaves it alone from the call until it is done.
public enum Collective: @unchecked Sendable {
  /// Replaces `buffer` by the reduction of all ranks' buffers, of equal sizes.
  case allReduce(buffer: UnsafeMutableRawBufferPointer, dtype: DType, kind: ReductionKind)
  /// Reduces the ranks' `source`, of `size` equal parts each, and leaves part number `rank` in `destination`.
  case reduceScatter(
    source: UnsafeRawBufferPointer, destination: UnsafeMutableRawBufferPointer, dtype: DType,
    kind: ReductionKind)
  /// Writes all ranks' `source`, of equal sizes, behind each other into `destination`. `source` may lie at its own place
  /// inside `destination`.
  case allGather(source: UnsafeRawBufferPointer, destination: UnsafeMutableRawBufferPointer)
  /// Part number *p* of rank *r*'s `source` becomes part number *r* of rank *p*'s `destination`; there are `size` parts
  /// of equal sizes. The two must not overlap.
  case allToAll(source: UnsafeRawBufferPointer, destination: UnsafeMutableRawBufferPointer)
  /// Replaces `buffer` by rank `root`'s.
  case broadcast(buffer: UnsafeMutableRawBufferPointer, root: Int)
  /// Waits until all ranks have come here.
  case barrier

  /// What it is called in messages.
  public var name: String {
    switch self {
    case .allReduce: "all-reduce"
    case .reduceScatter: "reduce-scatter"
    case .allGather: "all-gather"
    case .allToAll: "all-to-all"
    case .broadcast: "broadcast"
    case .barrier: "barrier"
    }
  }

  /// Bytes of the longest memory that it touches on one rank.
  public var byteCount: Int {
    switch self {
    case .allReduce(let buffer, _, _), .broadcast(let buffer, _): buffer.count
    case .reduceScatter(let source, _, _, _), .allToAll(let source, _): source.count
    case .allGather(_, let destination): destination.count
    case .barrier: 0
    }
  }

  /// Bytes that each of `size` ranks must send at the least; for a broadcast the average.
  public func sentBytes(size: Int) -> Int {
    guard size > 1 else { return 0 }
    let part = byteCount * (size - 1) / size
    return switch self {
    case .allReduce: 2 * part
    case .reduceScatter, .allGather, .allToAll, .broadcast: part
    case .barrier: 0
    }
  }

  /// Traps where the sizes of one rank do not fit each other; says nothing of the other ranks.
  package func check(size: Int) {
    switch self {
    case .allReduce(let buffer, let dtype, let kind):
      precondition(buffer.count % dtype.byteCount == 0, "\(signature): not whole elements")
      TreeReduction.check(dtype, kind)
    case .reduceScatter(let source, let destination, let dtype, let kind):
      precondition(source.count == destination.count * size, "\(signature): \(destination.count) come out")
      precondition(destination.count % dtype.byteCount == 0, "\(signature): not whole elements")
      TreeReduction.check(dtype, kind)
    case .allGather(let source, let destination):
      precondition(destination.count == source.count * size, "\(signature): \(source.count) go in")
    case .allToAll(let source, let destination):
      precondition(source.count == destination.count, "\(signature): \(destination.count) come out")
      precondition(source.count % size == 0, "\(signature): not \(size) equal parts")
    case .broadcast(_, let root): precondition((0..<size).contains(root), "\(signature): no such rank")
    case .barrier: break
    }
  }
}
