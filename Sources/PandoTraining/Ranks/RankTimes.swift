import Foundation

/// How long each rank's own work takes: its steps without the time in which it waited for others.
public struct RankTimes: Hashable, Sendable {
  /// Seconds of the last step, by rank.
  public private(set) var last: [Double] = []
  private var sums: [Double]
  private var count = 0
  /// Steps that are let pass: in the first ones, memory is touched for the first time.
  private static let warmUp = 3
  private var passed = 0

  /// Nothing yet.
  package init(ranks: Int) { sums = Array(repeating: 0, count: ranks) }

  /// A step is done.
  package mutating func add(_ seconds: [Double]) {
    last = seconds
    passed += 1
    // Where there is nothing but warm-up, it has to do.
    if passed == Self.warmUp + 1 { (sums, count) = (sums.map { _ in 0 }, 0) }
    for (rank, time) in seconds.enumerated() { sums[rank] += time }
    count += 1
  }

  /// The mean seconds of a step, by rank; empty before the first.
  public var means: [Double] { count > 0 ? sums.map { $0 / Double(count) } : [] }

  /// The rank that takes longest, and by which share of the ranks' median it takes longer; `nil` where that is too little
  /// to tell from chance.
  public var straggler: (rank: Int, excess: Double)? {
    let means = means
    guard means.count > 1, let slowest = means.indices.max(by: { means[$0] < means[$1] }) else { return nil }
    let sorted = means.sorted()
    let median = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    guard median > 0 else { return nil }
    let excess = means[slowest] / median - 1
    return excess >= 0.05 ? (slowest, excess) : nil
  }

  /// The straggler in words: `rank 1 is 12 % slower than the median`.
  public var text: String? {
    straggler.map { "rank \($0.rank) is \(Int(($0.excess * 100).rounded())) % slower than the median" }
  }
}
