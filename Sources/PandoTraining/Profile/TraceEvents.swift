import Foundation

/// A timeline in the Trace Event Format, which Perfetto (ui.perfetto.dev) and chrome://tracing show: rows of named
/// spans, times in microseconds.
struct TraceEvents: Encodable {
  /// A row of the timeline.
  enum Row: Hashable, Comparable {
    /// What a thread of the step does; 0 is the one that runs the step.
    case thread(Int)
    /// What the thread of a loader does.
    case data(Int)
    /// What is written down between steps.
    case records

    /// What stands at its beginning.
    var title: String {
      switch self {
      case .thread(0): "step"
      case .thread(let number): "step, thread \(number)"
      case .data(0): "data loading"
      case .data(let number): "data loading \(number + 1)"
      case .records: "metrics, evaluation, checkpoints"
      }
    }
  }

  /// Something that took a while.
  struct Span {
    let row: Row
    let name: String
    /// The kind by which spans get their colour and are searched.
    let category: String
    let start: ContinuousClock.Instant
    let end: ContinuousClock.Instant
    var details: [String: String] = [:]
  }

  private struct Event: Encodable {
    let name: String
    let ph: String
    let pid = 1
    let tid: Int
    var cat: String?
    var ts: Double?
    var dur: Double?
    var args: [String: String]?
  }

  private let traceEvents: [Event]
  private let displayTimeUnit = "ms"

  private enum CodingKeys: String, CodingKey { case traceEvents, displayTimeUnit }

  /// A timeline that begins with the first span.
  ///
  /// - Parameter title: what the whole is called.
  init(_ spans: [Span], title: String) {
    let origin = spans.map(\.start).min()
    var events = [Event(name: "process_name", ph: "M", tid: 0, args: ["name": title])]
    let rows = Set(spans.map(\.row)).union([.thread(0), .data(0), .records]).sorted()
    let places = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($0.element, $0.offset + 1) })
    for row in rows {
      events.append(Event(name: "thread_name", ph: "M", tid: places[row]!, args: ["name": row.title]))
    }
    // Viewers nest spans of one row by time; of two that begin together the longer is meant to hold the shorter.
    for span in spans.sorted(by: { ($0.start, $1.end) < ($1.start, $0.end) }) {
      events.append(
        Event(
          name: span.name, ph: "X", tid: places[span.row]!, cat: span.category,
          ts: origin!.duration(to: span.start) / .microseconds(1),
          dur: span.start.duration(to: span.end) / .microseconds(1),
          args: span.details.isEmpty ? nil : span.details))
    }
    traceEvents = events
  }

  /// The timeline as JSON.
  func data() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }
}
