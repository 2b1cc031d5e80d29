import Foundation
import PandoEngine
import PandoIR

/// Does every collective on known numbers and compares with what must come out: for a new cluster, before a long run
/// trusts it.
public struct ExchangeCheck {
  /// A number over all bits that came out; equal on all ranks, on any communicator of the same size.
  public private(set) var digest: UInt64 = 0xCBF2_9CE4_8422_2325
  private let communicator: any Communicator
  /// Exchanges see only addresses, so the tensors are kept until a part of the check is over.
  private var kept: [HostBuffer] = []
  private var rank: Int { communicator.rank }
  private var size: Int { communicator.size }

  /// What did not come out as it must.
  public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The rank, the collective and the place.
    public let description: String
  }

  /// Runs the check on all ranks of a communicator; collective.
  ///
  /// - Throws: `Failure` for a wrong number, or what the communicator throws.
  public init(_ communicator: any Communicator) throws {
    self.communicator = communicator
    // Sizes around those at which the ways of exchange change: one cache line, one piece, several.
    for count in [0, 1, 7, 1025, 33_000, 150_001] {
      kept = []
      for dtype in [DType.float32, .bfloat16, .int64] { try reductions(count, dtype) }
      try movements(count)
    }
    try groups()
    try messages()
  }

  private mutating func empty(_ count: Int, _ dtype: DType) -> HostBuffer {
    let buffer = HostBuffer(TensorType([count], dtype))
    kept.append(buffer)
    return buffer
  }

  /// Fractions whose sum depends on the order.
  private mutating func tensor(_ count: Int, _ dtype: DType, _ rank: Int) -> HostBuffer {
    let buffer = empty(count, dtype)
    for index in 0..<count {
      let value = Double((index &* 7919 &+ rank &* 104_729) % 1009) / 97 - 5
      ElementBytes.store(value, as: dtype, to: buffer.pointer + index * dtype.byteCount)
    }
    return buffer
  }

  /// The reduction of what these ranks have, worked out here.
  private mutating func expected(_ count: Int, _ dtype: DType, _ kind: ReductionKind, ranks: [Int]? = nil)
    -> HostBuffer
  {
    let sources = (ranks ?? Array(0..<size)).map { UnsafeRawPointer(tensor(count, dtype, $0).pointer) }
    let result = empty(count, dtype)
    TreeReduction.reduce(sources, into: [result.pointer], count: count, dtype: dtype, kind: kind)
    return result
  }

  private mutating func compare(
    _ got: UnsafeRawBufferPointer, _ wanted: UnsafeRawBufferPointer, _ what: String
  ) throws {
    guard let place = zip(got, wanted).enumerated().first(where: { $1.0 != $1.1 })?.offset else {
      for byte in stride(from: 0, to: wanted.count, by: 13) {
        digest = (digest ^ UInt64(wanted[byte])) &* 0x100_0000_01B3
      }
      return
    }
    throw Failure(
      description: "rank \(rank): \(what) of \(got.count) bytes has a wrong number at byte \(place)")
  }

  private mutating func reductions(_ count: Int, _ dtype: DType) throws {
    for kind in [ReductionKind.sum, .maximum] {
      let (buffer, whole) = (tensor(count, dtype, rank), expected(count, dtype, kind))
      try communicator.allReduce(buffer.mutableBytes, of: dtype, kind, label: "the check")
      try compare(buffer.bytes, whole.bytes, "an all-reduce (\(kind), \(dtype))")
    }
    let before = digest
    let whole = expected(count * size, dtype, .sum)
    let part = empty(count, dtype)
    try communicator.reduceScatter(
      tensor(count * size, dtype, rank).bytes, into: part.mutableBytes, of: dtype, label: "the check")
    let range = rank * part.type.byteCount..<(rank + 1) * part.type.byteCount
    try compare(
      part.bytes, UnsafeRawBufferPointer(rebasing: whole.bytes[range]), "a reduce-scatter (\(dtype))")
    // The digest is to be equal on all ranks, so it takes in the whole instead.
    digest = before
    let gathered = empty(count * size, dtype)
    try communicator.allGather(part.bytes, into: gathered.mutableBytes, label: "the check")
    try compare(gathered.bytes, whole.bytes, "an all-gather (\(dtype))")
  }

  private mutating func movements(_ count: Int) throws {
    let before = digest
    let (source, got) = (
      tensor(count * size, .int32, rank), empty(count * size, .int32)
    )
    try communicator.allToAll(source.bytes, into: got.mutableBytes, label: "the check")
    let bytes = count * 4
    for peer in 0..<size {
      let theirs = tensor(count * size, .int32, peer)
      try compare(
        UnsafeRawBufferPointer(rebasing: got.bytes[peer * bytes..<(peer + 1) * bytes]),
        UnsafeRawBufferPointer(rebasing: theirs.bytes[rank * bytes..<(rank + 1) * bytes]), "an all-to-all")
    }
    digest = before
    let root = count % size
    let buffer = tensor(count, .float64, rank)
    try communicator.broadcast(buffer.mutableBytes, from: root, label: "the check")
    try compare(buffer.bytes, tensor(count, .float64, root).bytes, "a broadcast")
    try communicator.barrier(label: "the check")
  }

  /// Two groups of every second rank, with several collectives under way in both them and the whole.
  private mutating func groups() throws {
    let all = communicator
    let half = try all.split(color: rank % 2)
    let inner = (0..<4).map { _ in tensor(3001, .int32, rank) }
    let outer = (0..<4).map { _ in tensor(5003, .int32, rank) }
    var requests: [any CommunicationRequest] = []
    for (x, y) in zip(inner, outer) {
      let parts = [
        { half.start(.allReduce(buffer: x.mutableBytes, dtype: .int32, kind: .sum), label: "the check") },
        {
          all.start(
            .allReduce(buffer: y.mutableBytes, dtype: .int32, kind: .sum), label: "the check")
        },
      ]
      for start in rank == 0 ? parts : parts.reversed() { requests.append(start()) }
    }
    for request in requests.reversed() { try request.wait() }
    let whole = expected(5003, .int32, .sum)
    for y in outer { try compare(y.bytes, whole.bytes, "an all-reduce beside others") }
    let before = digest
    let members = (0..<size).filter { $0 % 2 == rank % 2 }
    let sum = expected(3001, .int32, .sum, ranks: members)
    for x in inner { try compare(x.bytes, sum.bytes, "an all-reduce in a group") }
    digest = before
  }

  /// Round a ring, every rank sending and receiving at once.
  private mutating func messages() throws {
    for count in [0, 3, 500_000] {
      let before = digest
      let (next, last) = ((rank + 1) % size, (rank + size - 1) % size)
      let (mine, theirs) = (tensor(count, .int32, rank), empty(count, .int32))
      let receive = communicator.startReceive(theirs.mutableBytes, from: last, tag: 5, label: "the check")
      let send = communicator.startSend(mine.bytes, to: next, tag: 5, label: "the check")
      try receive.wait()
      try send.wait()
      try compare(theirs.bytes, tensor(count, .int32, last).bytes, "a message")
      digest = before
    }
  }
}
