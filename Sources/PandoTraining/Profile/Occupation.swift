/// When a rank computed, when it exchanged, and when both at once.
struct Occupation {
  /// What it did for a while.
  enum Kind: String {
    case compute
    case communication
    /// Communication that is hidden behind computing.
    case overlap
    /// A stage of a pipeline waits for another one.
    case bubble
  }

  /// From the first to the last, none over another.
  let parts: [(kind: Kind, time: Range<Int64>)]

  init(_ timeline: Timeline) {
    let compute = Self.union(timeline.spans.filter { $0.kind == .compute }.map(\.time))
    let communication = Self.union(timeline.spans.filter { $0.kind == .communication }.map(\.time))
    let bubble = Self.union(timeline.spans.filter { $0.kind == .bubble }.map(\.time))
    var edges: [(time: Int64, change: SIMD3<Int>)] = []
    for (times, change) in [
      (compute, SIMD3(1, 0, 0)), (communication, SIMD3(0, 1, 0)), (bubble, SIMD3(0, 0, 1)),
    ] {
      for time in times { edges += [(time.lowerBound, change), (time.upperBound, 0 &- change)] }
    }
    edges.sort { $0.time < $1.time }
    var parts: [(kind: Kind, time: Range<Int64>)] = []
    var (open, start) = (SIMD3<Int>(), Int64.min)
    for edge in edges {
      if edge.time > start, let kind = Self.kind(computing: open[0], exchanging: open[1], waiting: open[2]) {
        parts.append((kind, start..<edge.time))
      }
      open = open &+ edge.change
      start = edge.time
    }
    self.parts = parts
  }

  private static func kind(computing: Int, exchanging: Int, waiting: Int) -> Kind? {
    if computing > 0 { return exchanging > 0 ? .overlap : .compute }
    return waiting > 0 ? .bubble : exchanging > 0 ? .communication : nil
  }

  /// How long it did each within a while, in nanoseconds.
  func sums(within time: Range<Int64>) -> [Kind: Int64] {
    var sums: [Kind: Int64] = [.compute: 0, .communication: 0, .overlap: 0]
    for part in parts where part.time.overlaps(time) {
      sums[part.kind, default: 0] += Int64(part.time.clamped(to: time).count)
    }
    return sums
  }

  /// Times that neither touch nor overlap; what is nearer than the time between two operations counts as touching.
  private static func union(_ times: [Range<Int64>]) -> [Range<Int64>] {
    let gap: Int64 = 20_000
    var result: [Range<Int64>] = []
    for time in times.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = result.last, time.lowerBound <= last.upperBound + gap {
        result[result.count - 1] = last.lowerBound..<max(last.upperBound, time.upperBound)
      } else {
        result.append(time)
      }
    }
    return result
  }
}
