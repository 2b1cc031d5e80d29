import CMPI
import Foundation
import PandoEngine
import PandoIR

/// Collectives of processes on one host, through memory that they share.
///
/// Work goes in phases. In each, a rank writes a piece into its own slot, says so by its flag, waits for the others'
/// flags, and reads their slots. A rank has two slots, used in turn: when all flags show a phase, all ranks have read
/// what the phase before it wrote, so the slot of two phases ago is free.
final class SharedExchange: CollectiveExchange, @unchecked Sendable {
  /// Bytes of a slot. Two ranks' slots and the piece of the caller's memory fit in a core's second-level cache.
  static let slotBytes = 64 << 10
  private static let lineBytes = 256

  let rank: Int
  let size: Int
  private let worldRanks: [Int]
  private let memory: SharedMemory
  private let board: AbortBoard
  private let spinNanoseconds: Int64
  /// Only the one who carries out a collective uses it.
  private var phase: UInt32 = 0

  /// The bytes of shared memory that a group of this size needs.
  static func byteCount(size: Int) -> Int { size * (lineBytes + 2 * slotBytes) }

  /// - Parameter spins: whether each rank has a core of its own, so that looking again costs no one anything.
  init(group: MPIGroup, worldRanks: [Int], memory: SharedMemory, board: AbortBoard, spins: Bool) {
    rank = group.rank
    size = group.size
    self.worldRanks = worldRanks
    self.memory = memory
    self.board = board
    spinNanoseconds = spins ? 50_000 : 2_000
  }

  private func flag(_ rank: Int) -> UnsafeMutablePointer<pshm_flag> {
    (memory.base + rank * Self.lineBytes).assumingMemoryBound(to: pshm_flag.self)
  }

  /// Where a rank says what it does in a phase; beside its flag, so that both come with one cache line.
  private func code(_ rank: Int) -> UnsafeMutablePointer<UInt64> {
    (memory.base + rank * Self.lineBytes + 16 + Int(phase & 1) * 8).assumingMemoryBound(to: UInt64.self)
  }

  /// A rank's slot of this phase, or of the next.
  private func slot(_ rank: Int, ahead: UInt32 = 0) -> UnsafeMutableRawPointer {
    memory.base + size * Self.lineBytes + (2 * rank + Int((phase &+ ahead) & 1)) * Self.slotBytes
  }

  /// Ends the writing of this phase: waits until all ranks have come as far.
  private func meet(_ call: CollectiveCode, note: ([Int]) -> Void) throws(ExchangeFailure) {
    code(rank).pointee = call.bits
    pshm_set(flag(rank), phase)
    var disagrees = false
    for peer in 0..<size where peer != rank {
      while !pshm_wait(flag(peer), phase, spinNanoseconds, 50_000_000) {
        if let reason = board.reason { throw ExchangeFailure(.aborted(reason)) }
        note((0..<size).filter { Int32(bitPattern: pshm_get(flag($0)) &- phase) < 0 }.map { worldRanks[$0] })
      }
      disagrees = disagrees || code(peer).pointee != call.bits
    }
    guard disagrees else { return }
    let codes = (0..<size).map { CollectiveCode(bits: code($0).pointee) }
    throw CollectiveCode.disagreement(codes, rank: rank, names: worldRanks)!
  }

  func carryOut(_ collective: Collective, note: ([Int]) -> Void) throws(ExchangeFailure) {
    if let reason = board.reason { throw ExchangeFailure(.aborted(reason)) }
    let call = CollectiveCode(collective)
    switch collective {
    case .allReduce(let buffer, let dtype, let kind):
      if size == 2, let base = buffer.baseAddress {
        return try reducePair(base, buffer.count, dtype, kind, call, note)
      }
      try pieces(of: buffer.count, atMost: Self.slotBytes) { (start, count) throws(ExchangeFailure) in
        let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + count])
        if count <= 4096 {
          try self.reduceAll(piece, dtype, kind, call, note)
        } else {
          try self.reduceByShares(piece, dtype, kind, call, note)
        }
      }
    case .reduceScatter(let source, let destination, let dtype, let kind):
      let limit = Self.slotBytes / size / 64 * 64
      try pieces(of: destination.count, atMost: limit) { (start, count) throws(ExchangeFailure) in
        self.writeParts(source, start, count)
        try self.meet(call, note: note)
        guard count > 0 else { return }
        let sources = (0..<self.size).map { rank in
          rank == self.rank
            ? source.baseAddress! + rank * destination.count + start
            : UnsafeRawPointer(self.slot(rank)) + self.rank * count
        }
        TreeReduction.reduce(
          sources, into: [destination.baseAddress! + start], count: count / dtype.byteCount, dtype: dtype,
          kind: kind)
      }
    case .allGather(let source, let destination):
      try pieces(of: source.count, atMost: Self.slotBytes) { (start, count) throws(ExchangeFailure) in
        self.write(source, start, count)
        try self.meet(call, note: note)
        for peer in 0..<self.size {
          let place = destination.baseAddress.map { $0 + peer * source.count + start }
          guard count > 0, let place else { continue }
          if peer == self.rank {
            place.copyMemory(from: source.baseAddress! + start, byteCount: count)
          } else {
            place.copyMemory(from: self.slot(peer), byteCount: count)
          }
        }
      }
    case .allToAll(let source, let destination):
      let part = source.count / size
      try pieces(of: part, atMost: Self.slotBytes / size) { (start, count) throws(ExchangeFailure) in
        self.writeParts(source, start, count)
        try self.meet(call, note: note)
        guard count > 0 else { return }
        for peer in 0..<self.size {
          let place = destination.baseAddress! + peer * part + start
          if peer == self.rank {
            place.copyMemory(from: source.baseAddress! + peer * part + start, byteCount: count)
          } else {
            place.copyMemory(from: self.slot(peer) + self.rank * count, byteCount: count)
          }
        }
      }
    case .broadcast(let buffer, let root):
      try pieces(of: buffer.count, atMost: Self.slotBytes) { (start, count) throws(ExchangeFailure) in
        if self.rank == root { self.write(UnsafeRawBufferPointer(buffer), start, count) }
        try self.meet(call, note: note)
        if self.rank != root, count > 0 {
          (buffer.baseAddress! + start).copyMemory(from: self.slot(root), byteCount: count)
        }
      }
    case .barrier:
      phase &+= 1
      try meet(call, note: note)
    }
  }

  /// Begins a phase for each piece; one, empty, where there is nothing, so that the ranks meet and compare.
  private func pieces(
    of count: Int, atMost limit: Int, _ body: (_ start: Int, _ count: Int) throws(ExchangeFailure) -> Void
  ) throws(ExchangeFailure) {
    var start = 0
    repeat {
      let piece = min(limit, count - start)
      phase &+= 1
      try body(start, piece)
      start += piece
    } while start < count
  }

  private func write(_ source: UnsafeRawBufferPointer, _ start: Int, _ count: Int) {
    if count > 0 { slot(rank).copyMemory(from: source.baseAddress! + start, byteCount: count) }
  }

  /// Writes a piece of each other rank's part behind each other.
  private func writeParts(_ source: UnsafeRawBufferPointer, _ start: Int, _ count: Int) {
    guard count > 0 else { return }
    for peer in 0..<size where peer != rank {
      let part = source.baseAddress! + source.count / size * peer + start
      (slot(rank) + peer * count).copyMemory(from: part, byteCount: count)
    }
  }

  /// Two ranks read each other's pieces: one phase for each.
  private func reducePair(
    _ base: UnsafeMutableRawPointer, _ count: Int, _ dtype: DType, _ kind: ReductionKind,
    _ call: CollectiveCode, _ note: ([Int]) -> Void
  ) throws(ExchangeFailure) {
    var start = 0
    repeat {
      let piece = min(Self.slotBytes, count - start)
      phase &+= 1
      let (mine, theirs) = (base + start, slot(1 - rank))
      slot(rank).copyMemory(from: mine, byteCount: piece)
      try meet(call, note: note)
      TreeReduction.reduce(
        rank == 0 ? mine : theirs, rank == 0 ? theirs : mine, into: mine, count: piece / dtype.byteCount,
        dtype: dtype, kind: kind)
      start += piece
    } while start < count
  }

  /// Every rank reads all pieces: one phase.
  private func reduceAll(
    _ piece: UnsafeMutableRawBufferPointer, _ dtype: DType, _ kind: ReductionKind, _ call: CollectiveCode,
    _ note: ([Int]) -> Void
  ) throws(ExchangeFailure) {
    write(UnsafeRawBufferPointer(piece), 0, piece.count)
    try meet(call, note: note)
    guard let base = piece.baseAddress, piece.count > 0 else { return }
    let sources = (0..<size).map { UnsafeRawPointer($0 == rank ? base : slot($0)) }
    TreeReduction.reduce(
      sources, into: [base], count: piece.count / dtype.byteCount, dtype: dtype, kind: kind)
  }

  /// Every rank reduces a share of the piece and reads the others' results: two phases.
  private func reduceByShares(
    _ piece: UnsafeMutableRawBufferPointer, _ dtype: DType, _ kind: ReductionKind, _ call: CollectiveCode,
    _ note: ([Int]) -> Void
  ) throws(ExchangeFailure) {
    let (base, count) = (piece.baseAddress!, piece.count / dtype.byteCount)
    func bound(_ rank: Int) -> Int { count * rank / size * dtype.byteCount }
    write(UnsafeRawBufferPointer(piece), 0, piece.count)
    try meet(call, note: note)
    let (start, end) = (bound(rank), bound(rank + 1))
    if end > start {
      let sources = (0..<size).map { UnsafeRawPointer($0 == rank ? base : slot($0)) + start }
      TreeReduction.reduce(
        sources, into: [base + start, slot(rank, ahead: 1) + start], count: (end - start) / dtype.byteCount,
        dtype: dtype, kind: kind)
    }
    phase &+= 1
    try meet(call, note: note)
    for peer in 0..<size where peer != rank {
      let (start, end) = (bound(peer), bound(peer + 1))
      if end > start { (base + start).copyMemory(from: slot(peer) + start, byteCount: end - start) }
    }
  }
}
