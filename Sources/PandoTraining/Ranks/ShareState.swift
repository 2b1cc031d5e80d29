import Pando

extension TrainingRun {
  /// Gives every rank the first rank's state, and its place in the run.
  func shareState(over communicator: any Communicator) throws {
    if state.parallelism != nil {
      // Without a checkpoint every rank has drawn its part of the same first weights.
      var isFound: Int32 = saved == nil ? 0 : 1
      try withUnsafeMutableBytes(of: &isFound) {
        try communicator.broadcast($0, label: "whether there is a checkpoint")
      }
      if isFound != 0 { try state.spread(saved) }
      saved = nil
    } else {
      for entry in state.entries {
        try communicator.broadcast(entry.buffer.mutableBytes, label: entry.name)
      }
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
