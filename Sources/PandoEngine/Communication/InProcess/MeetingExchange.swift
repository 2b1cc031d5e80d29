import PandoIR

/// Ranks that meet, each do their share, and meet again.
final class MeetingExchange: CollectiveExchange {
  private let meeting: Meeting
  private let rank: Int

  init(meeting: Meeting, rank: Int) {
    self.meeting = meeting
    self.rank = rank
  }

  func carryOut(_ collective: Collective, note: ([Int]) -> Void) throws(ExchangeFailure) {
    let all = try meeting.arrive(rank, collective, note: note)
    if case .barrier = collective { return }
    SharedMemoryCollective.carryOut(all, rank: rank)
    // No one may use its memory again before the others are done with it.
    _ = try meeting.arrive(rank, .barrier, note: note)
  }
}

/// A rank's share of a collective whose ranks can reach each other's memory.
enum SharedMemoryCollective {
  /// Does rank `rank`'s share; all are done when every rank has done its own.
  ///
  /// - Parameter calls: what the ranks do, in their order, all of the same kind and sizes.
  static func carryOut(_ calls: [Collective], rank: Int) {
    switch calls[rank] {
    case .allReduce(let buffer, let dtype, let kind):
      let buffers = calls.map(\.written)
      let (start, count) = share(of: buffer.count / dtype.byteCount, rank: rank, ranks: calls.count)
      guard count > 0 else { return }
      let here = buffers.map { $0.baseAddress! + start * dtype.byteCount }
      TreeReduction.reduce(
        here.map { UnsafeRawPointer($0) }, into: here, count: count, dtype: dtype, kind: kind)
    case .reduceScatter(_, let destination, let dtype, let kind):
      guard destination.count > 0 else { return }
      TreeReduction.reduce(
        calls.map { $0.read.baseAddress! + rank * destination.count }, into: [destination.baseAddress!],
        count: destination.count / dtype.byteCount, dtype: dtype, kind: kind)
    case .allGather(let source, let destination):
      for (index, call) in calls.enumerated() {
        copy(call.read, 0, to: destination, index * source.count, source.count)
      }
    case .allToAll(let source, let destination):
      let part = source.count / calls.count
      for (index, call) in calls.enumerated() {
        copy(call.read, rank * part, to: destination, index * part, part)
      }
    case .broadcast(let buffer, let root):
      if rank != root { copy(UnsafeRawBufferPointer(calls[root].written), 0, to: buffer, 0, buffer.count) }
    case .barrier: break
    }
  }

  /// The part of `count` elements that one of `ranks` ranks works out: as equal as it can be.
  private static func share(of count: Int, rank: Int, ranks: Int) -> (start: Int, count: Int) {
    let start = count * rank / ranks
    return (start, count * (rank + 1) / ranks - start)
  }

  private static func copy(
    _ source: UnsafeRawBufferPointer, _ from: Int, to destination: UnsafeMutableRawBufferPointer, _ to: Int,
    _ count: Int
  ) {
    guard count > 0, source.baseAddress! + from != destination.baseAddress! + to else { return }
    destination.baseAddress!.advanced(by: to).copyMemory(from: source.baseAddress! + from, byteCount: count)
  }
}

extension Collective {
  /// The memory that other ranks read.
  fileprivate var read: UnsafeRawBufferPointer {
    switch self {
    case .allReduce(let buffer, _, _), .broadcast(let buffer, _): UnsafeRawBufferPointer(buffer)
    case .reduceScatter(let source, _, _, _), .allGather(let source, _), .allToAll(let source, _): source
    case .barrier: UnsafeRawBufferPointer(start: nil, count: 0)
    }
  }

  /// The memory that is replaced.
  fileprivate var written: UnsafeMutableRawBufferPointer {
    switch self {
    case .allReduce(let buffer, _, _), .broadcast(let buffer, _): buffer
    case .reduceScatter(_, let destination, _, _), .allGather(_, let destination),
      .allToAll(_, let destination):
      destination
    case .barrier: UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
  }
}
