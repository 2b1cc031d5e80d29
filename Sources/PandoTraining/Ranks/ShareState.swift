import Pando

extension TrainingRun {
  /// Gives every rank the first rank's state, and its place in the run.
  func shareState(over communicator: any Communicator) throws {
    for entry in state.entries {
      try communicator.broadcast(entry.buffer.mutableBytes, label: entry.name)
    }
    var figures = [
      Double(step), Double(evaluationsSinceBest), lastLoss, best?.value ?? .nan, Double(best?.step ?? -1),
    ]
    try figures.withUnsafeMutableBytes { try communicator.broadcast($0, label: "place in the run") }
    step = Int(figures[0])
    evaluationsSinceBest = Int(figures[1])
    lastLoss = figures[2]
    best = figures[4] < 0 ? nil : (figures[3], Int(figures[4]))
  }
}
