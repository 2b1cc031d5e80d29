import Foundation

/// What one rank did, in nanoseconds of its host's clock.
struct Timeline: Codable {
  /// A row of it.
  enum Row: Hashable, Comparable, Codable {
    /// What a thread of the step does; 0 is the one that runs the step.
    case thread(Int)
    /// What is exchanged with other ranks.
    case exchanges
    /// What the thread of a loader does.
    case data(Int)
    /// What is written down between steps.
    case records

    /// What stands at its beginning.
    var title: String {
      switch self {
      case .thread(0): "step"
      case .thread(let number): "step, thread \(number)"
      case .exchanges: "communication"
      case .data(0): "data loading"
      case .data(let number): "data loading \(number + 1)"
      case .records: "metrics, evaluation, checkpoints"
      }
    }
  }

  /// What a span is, for the sums over it.
  enum Kind: String, Codable {
    /// A whole step.
    case step
    /// An operation of a program.
    case compute
    /// An exchange with other ranks.
    case communication
    /// Waiting for another stage of a pipeline.
    case bubble
    /// Anything else.
    case other
  }

  /// Something that took a while.
  struct Span: Codable {
    let row: Row
    let name: String
    /// The kind by which spans get their colour and are searched.
    let category: String
    var kind = Kind.other
    var time: Range<Int64>
    var details: [String: String] = [:]
  }

  /// The rank.
  var rank = 0
  /// Which start of which machine the clock belongs to.
  var clock = ""
  /// A moment that all ranks have had together.
  var meeting: Int64 = 0
  var spans: [Span] = []

  /// The same in the time of another rank's clock.
  func aligned(to other: Timeline) -> Timeline {
    guard clock != other.clock else { return self }
    var result = self
    let shift = other.meeting - meeting
    for index in spans.indices {
      let time = spans[index].time
      result.spans[index].time = time.lowerBound + shift..<time.upperBound + shift
    }
    return result
  }
}

/// The clock of a timeline, which all processes of a host have in common, and moments of other clocks in it.
struct TimelineClock {
  private let instant: ContinuousClock.Instant
  private let nanoseconds: Int64

  init() {
    instant = .now
    nanoseconds = Self.now
  }

  /// The time now.
  static var now: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// Which start of which machine it belongs to.
  static var name: String {
    (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? "\(getpid())"
  }

  /// A moment in this clock.
  func time(_ moment: ContinuousClock.Instant) -> Int64 {
    nanoseconds + Int64(instant.duration(to: moment) / .nanoseconds(1))
  }

  /// A span of time in this clock.
  func time(_ start: ContinuousClock.Instant, _ end: ContinuousClock.Instant) -> Range<Int64> {
    let first = time(start)
    return first..<max(first, time(end))
  }
}
