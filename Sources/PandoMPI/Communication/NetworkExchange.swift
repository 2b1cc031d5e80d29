import Foundation
import PandoEngine
import PandoIR

/// Collectives of processes on several hosts, through MPI's messages.
///
/// A reduction is worked out in shares: each rank gets its share from all others, reduces it in the fixed order, and
/// sends it to all, which moves as few bytes as a ring does, in two rounds of messages.
final class NetworkExchange: CollectiveExchange {
  private typealias Note = ([Int]) -> Void
  /// Bytes of a tensor in one round of messages.
  private static let pieceBytes = 8 << 20
  /// Up to so many bytes every rank sends all it has to all, in one round of messages.
  private static let smallBytes = 4 << 10

  private let group: MPIGroup
  private let worldRanks: [Int]
  private let board: AbortBoard
  private var rank: Int { group.rank }
  private var size: Int { group.size }

  /// `group` must carry no other messages.
  init(group: MPIGroup, worldRanks: [Int], board: AbortBoard) {
    self.group = group
    self.worldRanks = worldRanks
    self.board = board
  }

  func carryOut(_ collective: Collective, note: ([Int]) -> Void) throws(ExchangeFailure) {
    if let reason = board.reason { throw ExchangeFailure(.aborted(reason)) }
    try withoutActuallyEscaping(note) { note throws(ExchangeFailure) in
      // Messages know ranks by their numbers in the group, people by those in the run.
      let names: Note = { note($0.map { self.worldRanks[$0] }) }
      switch collective {
      case .allReduce(let buffer, let dtype, let kind):
        try pieces(of: buffer.count, atMost: Self.pieceBytes) { (range) throws(ExchangeFailure) in
          try self.allReduce(
            UnsafeMutableRawBufferPointer(rebasing: buffer[range]), dtype, kind, names)
        }
      case .reduceScatter(let source, let destination, let dtype, let kind):
        let limit = max(64, Self.pieceBytes / size / 64 * 64)
        try pieces(of: destination.count, atMost: limit) { (range) throws(ExchangeFailure) in
          let target = UnsafeMutableRawBufferPointer(rebasing: destination[range])
          try self.reduce(
            { peer in Self.part(source, peer, destination.count, range) }, into: target, dtype, kind, names)
        }
      case .allGather(let source, let destination):
        try pieces(of: source.count, atMost: Self.pieceBytes) { (range) throws(ExchangeFailure) in
          let mine = UnsafeRawBufferPointer(rebasing: source[range])
          try self.exchange(
            send: { _ in mine }, receive: { peer in Self.part(destination, peer, source.count, range) }, names
          )
        }
      case .allToAll(let source, let destination):
        let part = source.count / size
        try pieces(of: part, atMost: Self.pieceBytes) { (range) throws(ExchangeFailure) in
          try self.exchange(
            send: { peer in Self.part(source, peer, part, range) },
            receive: { peer in Self.part(destination, peer, part, range) }, names)
        }
      case .broadcast(let buffer, let root):
        try pieces(of: buffer.count, atMost: Self.pieceBytes) { (range) throws(ExchangeFailure) in
          try self.broadcast(UnsafeMutableRawBufferPointer(rebasing: buffer[range]), from: root, names)
        }
      case .barrier: try barrier(names)
      }
    }
  }

  private func pieces(
    of count: Int, atMost limit: Int, _ body: (Range<Int>) throws(ExchangeFailure) -> Void
  ) throws(ExchangeFailure) {
    var start = 0
    repeat {
      let end = min(start + limit, count)
      try body(start..<end)
      start = end
    } while start < count
  }

  private static func part(_ memory: UnsafeRawBufferPointer, _ peer: Int, _ count: Int, _ range: Range<Int>)
    -> UnsafeRawBufferPointer
  {
    UnsafeRawBufferPointer(
      rebasing: memory[peer * count + range.lowerBound..<peer * count + range.upperBound])
  }

  private static func part(
    _ memory: UnsafeMutableRawBufferPointer, _ peer: Int, _ count: Int, _ range: Range<Int>
  ) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(
      rebasing: memory[peer * count + range.lowerBound..<peer * count + range.upperBound])
  }

  /// Sends something to every rank and receives something from every rank; to itself a rank copies.
  private func exchange(
    send: (Int) -> UnsafeRawBufferPointer, receive: (Int) -> UnsafeMutableRawBufferPointer, _ note: Note
  ) throws(ExchangeFailure) {
    var transfers = Transfers(group: group, board: board)
    // Each begins with the rank after it, so that not all send to the same one at first.
    let peers = (1..<max(size, 1)).map { (rank + $0) % size }
    for peer in peers.reversed() { try transfers.receive(receive(peer), from: peer, tag: 0) }
    for peer in peers { try transfers.send(send(peer), to: peer, tag: 0) }
    let (source, destination) = (send(rank), receive(rank))
    if source.count > 0, source.baseAddress! != UnsafeRawPointer(destination.baseAddress!) {
      destination.baseAddress!.copyMemory(from: source.baseAddress!, byteCount: source.count)
    }
    try transfers.wait(note: note)
  }

  /// Leaves in `destination` the reduction of what all ranks' `source` gives for this rank.
  private func reduce(
    _ source: (Int) -> UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer,
    _ dtype: DType,
    _ kind: ReductionKind, _ note: Note
  ) throws(ExchangeFailure) {
    let bytes = destination.count
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: max(64, bytes * size), alignment: 64)
    defer { scratch.deallocate() }
    try exchange(send: source, receive: { Self.part(scratch, $0, bytes, 0..<bytes) }, note)
    guard bytes > 0 else { return }
    TreeReduction.reduce(
      (0..<size).map { UnsafeRawPointer(scratch.baseAddress! + $0 * bytes) },
      into: [destination.baseAddress!],
      count: bytes / dtype.byteCount, dtype: dtype, kind: kind)
  }

  private func allReduce(
    _ piece: UnsafeMutableRawBufferPointer, _ dtype: DType, _ kind: ReductionKind, _ note: Note
  ) throws(ExchangeFailure) {
    let whole = UnsafeRawBufferPointer(piece)
    if piece.count <= Self.smallBytes { return try reduce({ _ in whole }, into: piece, dtype, kind, note) }
    let count = piece.count / dtype.byteCount
    func share(_ peer: Int) -> Range<Int> {
      count * peer / size * dtype.byteCount..<count * (peer + 1) / size * dtype.byteCount
    }
    let mine = UnsafeMutableRawBufferPointer(rebasing: piece[share(rank)])
    try reduce({ UnsafeRawBufferPointer(rebasing: whole[share($0)]) }, into: mine, dtype, kind, note)
    try exchange(
      send: { _ in UnsafeRawBufferPointer(mine) },
      receive: { UnsafeMutableRawBufferPointer(rebasing: piece[share($0)]) }, note)
  }

  /// Along a binomial tree whose root is `root`: who has it sends it on to one more in each round.
  private func broadcast(_ piece: UnsafeMutableRawBufferPointer, from root: Int, _ note: Note)
    throws(ExchangeFailure)
  {
    let place = (rank - root + size) % size
    var reach = 1
    while reach < size {
      var transfers = Transfers(group: group, board: board)
      if place < reach, place + reach < size {
        try transfers.send(UnsafeRawBufferPointer(piece), to: (rank + reach) % size, tag: 0)
      } else if place >= reach, place < 2 * reach {
        try transfers.receive(piece, from: (rank - reach + size) % size, tag: 0)
      }
      try transfers.wait(note: note)
      reach *= 2
    }
  }

  /// In round *k* a rank tells the one 2^*k* after it that it is here, and with it all it has heard of.
  private func barrier(_ note: Note) throws(ExchangeFailure) {
    let nothing = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    var distance = 1
    while distance < size {
      var transfers = Transfers(group: group, board: board)
      try transfers.receive(nothing, from: (rank - distance + size) % size, tag: 1)
      try transfers.send(UnsafeRawBufferPointer(nothing), to: (rank + distance) % size, tag: 1)
      try transfers.wait(note: note)
      distance *= 2
    }
  }
}
