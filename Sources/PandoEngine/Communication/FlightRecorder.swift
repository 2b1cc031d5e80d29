import Foundation
import Synchronization

/// What one rank has exchanged last: a ring of entries, kept in memory at the cost of well under a microsecond an
/// entry, to be read when ranks hang.
public final class FlightRecorder: Sendable {
  /// One operation on one rank.
  public struct Entry: Hashable, Sendable, Codable {
    /// How far it is.
    public enum State: String, Hashable, Sendable, Codable {
      /// Begun, but others of its communicator come first.
      case queued
      /// It exchanges, or waits for other ranks.
      case running
      /// It has ended well.
      case done
      /// It has thrown.
      case failed
    }

    /// Its number among this rank's operations, from 0.
    public let number: Int
    /// The training step, where one has begun.
    public let step: Int?
    /// `all-reduce`.
    public let operation: String
    /// What is exchanged: `blocks.4.mlp.weight`.
    public let label: String
    /// The ranks that take part, counted in the whole run.
    public let ranks: [Int]
    /// Bytes of the memory it touches here.
    public let bytes: Int
    /// How far it is.
    public let state: State
    /// Seconds from the recorder's making to the call.
    public let begin: Double
    /// Seconds from the recorder's making to the moment at which it had its turn.
    public let started: Double?
    /// Seconds from the recorder's making to the end.
    public let end: Double?
    /// The ranks it still waits for, where that is known.
    public let waitingFor: [Int]
  }

  /// This process's number in the whole run.
  public let rank: Int
  private let capacity: Int
  private let origin = FlightRecorder.nanoseconds()

  /// An entry as it is kept: writing one must cost next to nothing.
  private struct Slot {
    var step: Int?
    var operation: String
    var label: String
    var ranks: [Int]
    var bytes: Int
    var state: Entry.State
    var begin: UInt64
    var started: UInt64
    var end: UInt64 = 0
    var blocks: Bool
    var waitingFor: [Int] = []
  }

  private struct Ring {
    var slots: [Slot] = []
    var count = 0
    var step: Int?
    var sentBytes = 0
    var blockedTime: UInt64 = 0
  }
  private let ring = Mutex(Ring())

  /// A recorder that keeps the last `capacity` operations, or somewhat more.
  public init(rank: Int, capacity: Int = 256) {
    precondition(capacity > 0, "a recorder keeps at least one operation")
    self.rank = rank
    // A power of two, so that an entry's place is a mask away.
    self.capacity = 1 << (Int.bitWidth - (capacity - 1).leadingZeroBitCount)
  }

  /// The training step that entries from now on belong to.
  public var step: Int? {
    get { ring.withLock { $0.step } }
    set { ring.withLock { $0.step = newValue } }
  }

  /// Bytes that this rank has sent since the recorder was made, counted as the least that its operations need.
  public var sentBytes: Int { ring.withLock { $0.sentBytes } }

  /// Seconds that this rank has spent in exchanges which it had to wait for: what its own work left undone.
  public var blockedSeconds: Double { Double(ring.withLock { $0.blockedTime }) * 1e-9 }

  /// Time was spent waiting for something that was begun before, from a moment on.
  package func didBlock(since start: UInt64) {
    let time = Self.nanoseconds() - start
    ring.withLock { $0.blockedTime += time }
  }

  /// Seconds since the recorder was made.
  public var seconds: Double { since(Self.nanoseconds()) }

  private func since(_ time: UInt64) -> Double { Double(time - origin) * 1e-9 }

  /// The time now, for `didBlock`.
  package static func nanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }

  /// The entries that are kept, oldest first.
  public var entries: [Entry] {
    let ring = ring.withLock { $0 }
    return (max(0, ring.count - capacity)..<ring.count).map { number in
      let slot = ring.slots[number & (capacity - 1)]
      return Entry(
        number: number, step: slot.step, operation: slot.operation, label: slot.label, ranks: slot.ranks,
        bytes: slot.bytes, state: slot.state, begin: since(slot.begin),
        started: slot.started == 0 ? nil : since(slot.started),
        end: slot.end == 0 ? nil : since(slot.end), waitingFor: slot.waitingFor)
    }
  }

  /// Enters an operation and returns its number.
  ///
  /// - Parameter blocks: whether the caller does nothing else until its end.
  package func begin(
    _ operation: String, label: String, ranks: [Int], bytes: Int, sends: Int, state: Entry.State,
    blocks: Bool = false
  ) -> Int {
    let now = Self.nanoseconds()
    return ring.withLock { ring in
      let number = ring.count
      let slot = Slot(
        step: ring.step, operation: operation, label: label, ranks: ranks, bytes: bytes, state: state,
        begin: now, started: state == .running ? now : 0, blocks: blocks)
      if number < capacity { ring.slots.append(slot) } else { ring.slots[number & (capacity - 1)] = slot }
      ring.count += 1
      ring.sentBytes += sends
      return number
    }
  }

  /// Changes an entry, if it is still kept.
  package func update(_ number: Int, state: Entry.State) {
    let now = Self.nanoseconds()
    ring.withLock { ring in
      guard number >= ring.count - capacity else { return }
      let place = number & (capacity - 1)
      ring.slots[place].state = state
      guard state == .done || state == .failed else {
        if state == .running { ring.slots[place].started = now }
        return
      }
      ring.slots[place].end = now
      if ring.slots[place].blocks { ring.blockedTime += now - ring.slots[place].begin }
      if state == .done, !ring.slots[place].waitingFor.isEmpty { ring.slots[place].waitingFor = [] }
    }
  }

  /// Says whom an entry waits for, if it is still kept.
  package func update(_ number: Int, waitingFor ranks: [Int]) {
    ring.withLock { ring in
      guard number >= ring.count - capacity else { return }
      ring.slots[number & (capacity - 1)].waitingFor = ranks
    }
  }

  /// An error about an entry of this recorder.
  package func error(
    _ reason: CommunicationError.Reason, _ number: Int, operation: String, label: String
  ) -> CommunicationError {
    let now = Self.nanoseconds()
    let (step, begin) = ring.withLock { ring in
      guard number >= 0, number >= ring.count - capacity else { return (ring.step, now) }
      let slot = ring.slots[number & (capacity - 1)]
      return (slot.step, slot.begin)
    }
    return CommunicationError(
      reason, operation: operation, label: label, rank: rank, step: step, seconds: since(now) - since(begin))
  }

  /// The entries that run and began at least this long ago.
  public func waiting(atLeast limit: Double) -> [Entry] {
    let now = seconds
    return entries.filter { $0.state == .running && now - $0.begin >= limit }
  }

  /// What an entry waits for, in words: `rank 3, step 812, all-reduce of blocks.4.mlp.weight, waiting 30 s for rank 1`.
  public func describe(_ entry: Entry) -> String {
    let step = entry.step.map { ", step \($0)" } ?? ""
    let verb = entry.state == .done || entry.state == .failed ? "took" : "waiting"
    let whole = Int((entry.end ?? seconds) - entry.begin)
    let others =
      entry.waitingFor.isEmpty
      ? ""
      : " for rank\(entry.waitingFor.count == 1 ? "" : "s") "
        + entry.waitingFor.map(String.init).joined(separator: ", ")
    return "rank \(rank)\(step), \(entry.operation) of \(entry.label), \(verb) \(whole) s\(others)"
  }

  /// Writes the entries as JSON (`rank`, `seconds`, `entries`), by a temporary file that is renamed.
  public func write(to url: URL) throws {
    struct Dump: Encodable {
      let rank: Int
      let seconds: Double
      let entries: [Entry]
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let data = try encoder.encode(Dump(rank: rank, seconds: seconds, entries: entries))
    try data.write(to: url, options: .atomic)
  }
}
