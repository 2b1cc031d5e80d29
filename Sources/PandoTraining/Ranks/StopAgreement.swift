import Pando

/// Whether all ranks stop: they do as soon as one is asked to, after the same step.
struct StopAgreement {
  private let ranks: Ranks
  private let shouldStop: () -> Bool

  init(_ ranks: Ranks, shouldStop: @escaping () -> Bool) {
    self.ranks = ranks
    self.shouldStop = shouldStop
  }

  /// Asked after every step, by all ranks.
  func ask() throws -> Bool {
    guard let communicator = ranks.communicator else { return shouldStop() }
    var asked: Int32 = shouldStop() ? 1 : 0
    try withUnsafeMutableBytes(of: &asked) {
      try communicator.allReduce($0, of: .int32, .maximum, label: "whether to stop")
    }
    return asked != 0
  }
}
