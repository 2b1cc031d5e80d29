import Pando

/// What the ranks tell each other after every step, all of it at once.
final class StepAgreement {
  /// What a rank says.
  private struct Word {
    var isAskedToStop: Int32
    var isWritten: Int32
    /// How long its own work took.
    var seconds: Double
  }

  private let run: TrainingRun
  private let shouldStop: () -> Bool
  /// How long each rank's own work takes; `nil` where there is one.
  private(set) var times: RankTimes?

  init(_ run: TrainingRun, shouldStop: @escaping () -> Bool) {
    self.run = run
    self.shouldStop = shouldStop
    times = run.ranks.communicator.map { RankTimes(ranks: $0.size) }
  }

  /// What all ranks do next.
  struct Answer {
    /// Whether they stop: as soon as one is asked to, after the same step.
    let stops: Bool
    /// Whether all have written their parts of a checkpoint.
    let areWritten: Bool
  }

  /// Called after every step, by all ranks. Ranks that train on their own for a while tell each other only when they
  /// meet anyway.
  ///
  /// - Parameters:
  ///   - seconds: how long this rank's own work took in the step.
  ///   - isWritten: whether this rank has written its part of a checkpoint.
  func ask(seconds: Double, isWritten: Bool) throws -> Answer {
    guard run.step.isMultiple(of: run.recipe.parallel.local.interval ?? 1) else {
      return Answer(stops: false, areWritten: false)
    }
    guard let communicator = run.ranks.communicator else {
      return Answer(stops: shouldStop(), areWritten: isWritten)
    }
    let word = Word(isAskedToStop: shouldStop() ? 1 : 0, isWritten: isWritten ? 1 : 0, seconds: seconds)
    var words = Array(
      repeating: Word(isAskedToStop: 0, isWritten: 0, seconds: 0), count: communicator.size)
    try withUnsafeBytes(of: word) { mine in
      try words.withUnsafeMutableBytes { all in
        try communicator.allGather(mine, into: all, label: "whether to stop")
      }
    }
    times?.add(words.map(\.seconds))
    return Answer(
      stops: words.contains { $0.isAskedToStop != 0 }, areWritten: words.allSatisfy { $0.isWritten != 0 })
  }
}
