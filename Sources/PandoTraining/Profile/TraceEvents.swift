import Foundation

/// A timeline in the Trace Event Format, which Perfetto (ui.perfetto.dev) and chrome://tracing show: rows of named
/// spans, times in microseconds.
struct TraceEvents: Encodable {
  private struct Event: Encodable {
    let name: String
    let ph: String
    let pid: Int
    let tid: Int
    var cat: String?
    var ts: Double?
    var dur: Double?
    var args: [String: String]?
  }

  private var traceEvents: [Event] = []
  private let displayTimeUnit = "ms"
  private let origin: Int64

  private enum CodingKeys: String, CodingKey { case traceEvents, displayTimeUnit }

  /// A timeline that begins with the first span: of several ranks, a row for each with what it was occupied with, and
  /// below them each rank's own rows.
  ///
  /// - Parameter title: what the whole is called.
  init(_ timelines: [Timeline], title: String) {
    origin = timelines.flatMap { $0.spans.map(\.time.lowerBound) }.min() ?? 0
    let isAlone = timelines.count == 1
    if !isAlone {
      name(process: 1, "\(title): ranks")
      for timeline in timelines { addOverview(timeline) }
    }
    for timeline in timelines {
      let process = isAlone ? 1 : timeline.rank + 2
      name(process: process, isAlone ? title : "rank \(timeline.rank)")
      add(timeline, process: process)
    }
  }

  /// All rows of a rank.
  private mutating func add(_ timeline: Timeline, process: Int) {
    let rows = Set(timeline.spans.map(\.row)).union([.thread(0), .data(0), .records]).sorted()
    let places = Dictionary(uniqueKeysWithValues: rows.enumerated().map { ($0.element, $0.offset + 1) })
    for row in rows { name(row: places[row]!, of: process, row.title) }
    // Viewers nest spans of one row by time; of two that begin together the longer is meant to hold the shorter.
    let spans = timeline.spans.sorted {
      ($0.time.lowerBound, $1.time.upperBound) < ($1.time.lowerBound, $0.time.upperBound)
    }
    for span in spans {
      add(span.name, span.category, span.time, row: places[span.row]!, of: process, span.details)
    }
  }

  /// The steps of a rank, and in each what it was occupied with.
  private mutating func addOverview(_ timeline: Timeline) {
    let row = timeline.rank + 1
    name(row: row, of: 1, "rank \(timeline.rank)")
    let occupation = Occupation(timeline)
    for step in timeline.spans where step.kind == .step {
      let sums = occupation.sums(within: step.time)
      let details = Dictionary(
        uniqueKeysWithValues: sums.map {
          ("\($0.key.rawValue) ms", String(format: "%.3f", Double($0.value) / 1e6))
        })
      add(step.name, step.category, step.time, row: row, of: 1, details)
      for part in occupation.parts where part.time.overlaps(step.time) {
        add(part.kind.rawValue, part.kind.rawValue, part.time.clamped(to: step.time), row: row, of: 1, [:])
      }
    }
  }

  private mutating func name(process: Int, _ title: String) {
    traceEvents.append(Event(name: "process_name", ph: "M", pid: process, tid: 0, args: ["name": title]))
  }

  private mutating func name(row: Int, of process: Int, _ title: String) {
    traceEvents.append(Event(name: "thread_name", ph: "M", pid: process, tid: row, args: ["name": title]))
  }

  private mutating func add(
    _ name: String, _ category: String, _ time: Range<Int64>, row: Int, of process: Int,
    _ details: [String: String]
  ) {
    traceEvents.append(
      Event(
        name: name, ph: "X", pid: process, tid: row, cat: category,
        ts: Double(time.lowerBound - origin) / 1e3, dur: Double(time.count) / 1e3,
        args: details.isEmpty ? nil : details))
  }

  /// The timeline as JSON.
  func data() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }
}
