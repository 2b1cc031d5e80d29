import Pando

/// What the operating system counts for each rank's process, beside what was planned.
struct RankResidency: Hashable, Sendable {
  /// Bytes planned, by rank.
  let planned: [Int]
  /// Bytes at the highest so far, by rank.
  let measured: [Int]

  /// Tells all ranks what each has planned and what its process has taken so far. Collective.
  init(planned: Int, among ranks: Ranks) throws {
    let mine = [planned, ProcessFigures.peakResidentBytes]
    guard let communicator = ranks.communicator else {
      (self.planned, measured) = ([mine[0]], [mine[1]])
      return
    }
    var all = [Int](repeating: 0, count: 2 * ranks.count)
    try mine.withUnsafeBytes { mine in
      try all.withUnsafeMutableBytes {
        try communicator.allGather(mine, into: $0, label: "the ranks' memory")
      }
    }
    self.planned = stride(from: 0, to: all.count, by: 2).map { all[$0] }
    measured = stride(from: 1, to: all.count, by: 2).map { all[$0] }
  }
}

extension TrainingRun {
  /// Bytes that the operating system will count for this process, which has just made the run: what it takes itself, and
  /// the plan. What of the plan has its memory already is not counted twice.
  func plannedResidentBytes(now: Int) -> Int {
    let plan = plan
    let there = plan.parameterBytes + plan.optimizerBytes + plan.accumulationBytes
    return max(0, now - there) + sharedBytes + plan.plannedBytes
  }
}

extension Ranks {
  /// The first rank's text, on every rank. Collective.
  ///
  /// - Parameter text: on the first rank; of others it does not count.
  public func sharing(_ text: String) throws -> String {
    guard let communicator else { return text }
    var count = Int64(text.utf8.count)
    try withUnsafeMutableBytes(of: &count) { try communicator.broadcast($0, label: "the recipe") }
    var bytes = isFirst ? Array(text.utf8) : [UInt8](repeating: 0, count: Int(count))
    try bytes.withUnsafeMutableBytes { try communicator.broadcast($0, label: "the recipe") }
    return String(decoding: bytes, as: UTF8.self)
  }
}
