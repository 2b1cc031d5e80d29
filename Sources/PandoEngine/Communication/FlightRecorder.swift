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
    public internal(set) var state: State
    /// Seconds from the recorder's making to the call.
    public let begin: Double
    /// Seconds from the recorder's making to the end.
    public internal(set) var end: Double?
    /// The ranks it still waits for, where that is known.
    public internal(set) var waitingFor: [Int] = []
  }

  /// This process's number in the whole run.
  public let rank: Int
  private let capacity: Int
  private let origin = ContinuousClock.now

  private struct Ring {
    var entries: [Entry] = []
    var count = 0
    var step: Int?
    var sentBytes = 0
  }
  private let ring = Mutex(Ring())

  /// A recorder that keeps the last `capacity` operations.
  public init(rank: Int, capacity: Int = 256) {
    self.rank = rank
    self.capacity = capacity
  }

  /// The training step that entries from now on belong to.
  public var step: Int? {
    get { ring.withLock { $0.step } }
    set { ring.withLock { $0.step = newValue } }
  }

  /// Bytes that this rank has sent since the recorder was made, counted as the least that its operations need.
  public var sentBytes: Int { ring.withLock { $0.sentBytes } }

  /// Seconds since the recorder was made.
  public var seconds: Double { (ContinuousClock.now - origin) / .seconds(1) }

  /// The entries that are kept, oldest first.
  public var entries: [Entry] {
    ring.withLock { ring in
      let start = ring.count % capacity
      return ring.count <= capacity ? ring.entries : Array(ring.entries[start...] + ring.entries[..<start])
    }
  }

  /// Enters an operation and returns its number.
  package func begin(
    _ operation: String, label: String, ranks: [Int], bytes: Int, sends: Int, state: Entry.State
  ) -> Int {
    let now = seconds
    return ring.withLock { ring in
      let number = ring.count
      let entry = Entry(
        number: number, step: ring.step, operation: operation, label: label, ranks: ranks, bytes: bytes,
        state: state, begin: now)
      if number < capacity { ring.entries.append(entry) } else { ring.entries[number % capacity] = entry }
      ring.count += 1
      ring.sentBytes += sends
      return number
    }
  }

  /// Changes an entry, if it is still kept.
  package func update(_ number: Int, state: Entry.State) {
    let end = state == .done || state == .failed ? seconds : nil
    ring.withLock { ring in
      guard number >= ring.count - capacity else { return }
      ring.entries[number % capacity].state = state
      ring.entries[number % capacity].end = end
    }
  }

  /// Says whom an entry waits for, if it is still kept.
  package func update(_ number: Int, waitingFor ranks: [Int]) {
    ring.withLock { ring in
      guard number >= ring.count - capacity else { return }
      ring.entries[number % capacity].waitingFor = ranks
    }
  }

  /// An error about an entry of this recorder.
  package func error(
    _ reason: CommunicationError.Reason, _ number: Int, operation: String, label: String
  ) -> CommunicationError {
    let now = seconds
    let (step, begin) = ring.withLock { ring in
      guard number >= 0, number >= ring.count - capacity else { return (ring.step, now) }
      let entry = ring.entries[number % capacity]
      return (entry.step, entry.begin)
    }
    return CommunicationError(
      reason, operation: operation, label: label, rank: rank, step: step, seconds: now - begin)
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
