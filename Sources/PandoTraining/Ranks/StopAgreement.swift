import Pando

/// Whether all ranks stop: they do as soon as one is asked to, after the same step.
struct StopAgreement {
  private let run: TrainingRun
  private let shouldStop: () -> Bool

  init(_ run: TrainingRun, shouldStop: @escaping () -> Bool) {
    self.run = run
    self.shouldStop = shouldStop
  }

  /// Asked after every step, by all ranks. Ranks that train on their own for a while only stop when they have told each
  /// other.
  func ask() throws -> Bool {
    guard run.step.isMultiple(of: run.recipe.parallel.local.interval ?? 1) else { return false }
    guard let communicator = run.ranks.communicator else { return shouldStop() }
    var asked: Int32 = shouldStop() ? 1 : 0
    try withUnsafeMutableBytes(of: &asked) {
      try communicator.allReduce($0, of: .int32, .maximum, label: "whether to stop")
    }
    return asked != 0
  }
}
