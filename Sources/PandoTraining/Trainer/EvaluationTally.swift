import Pando
import PandoData

/// What the batches of an evaluation add up to, in the order of the batches whoever computed them.
struct EvaluationTally {
  /// Loss, hits and targets of each batch.
  private var sums: [Double]
  /// Row-major: target, prediction.
  private var confusion: [Int64]
  private var mistakes: [(sample: Int, target: Int, prediction: Int)] = []
  private let classes: Int

  /// How many mistakes are kept.
  private static let mistakeLimit = 24

  /// - Parameters:
  ///   - batches: how many there are, on all ranks together.
  ///   - classes: 0 where there is no table of confusions.
  init(batches: Int, classes: Int) {
    sums = Array(repeating: 0, count: batches * 3)
    confusion = Array(repeating: 0, count: classes * classes)
    self.classes = classes
  }

  /// Adds a batch's sums.
  mutating func add(batch: Int, loss: Float, hits: Float, targets: Double) {
    sums[batch * 3] = Double(loss)
    sums[batch * 3 + 1] = Double(hits)
    sums[batch * 3 + 2] = targets
  }

  /// Adds a batch's predictions, one for each of its `valid` samples, the first of which is at `position`.
  mutating func add(position: Int, valid: Int, targets: HostBuffer, predictions: HostBuffer) {
    let targets = targets.pointer.assumingMemoryBound(to: Int32.self)
    let predicted = predictions.pointer.assumingMemoryBound(to: Int32.self)
    for row in 0..<valid {
      let (wanted, got) = (Int(targets[row]), Int(predicted[row]))
      guard (0..<classes).contains(wanted), (0..<classes).contains(got) else { continue }
      confusion[wanted * classes + got] += 1
      if wanted != got && mistakes.count < Self.mistakeLimit {
        mistakes.append((position + row, wanted, got))
      }
    }
  }

  /// Makes it the tally of all ranks.
  mutating func merge(over communicator: any Communicator) throws {
    // Every batch was computed by one rank and is zero on the others, so that adding changes no bit.
    try sums.withUnsafeMutableBytes {
      try communicator.allReduce($0, of: .float64, label: "evaluation sums")
    }
    guard classes > 0 else { return }
    try confusion.withUnsafeMutableBytes {
      try communicator.allReduce($0, of: .int64, label: "evaluation confusions")
    }
    var own = Array(repeating: Int64(-1), count: Self.mistakeLimit * 3)
    for (place, mistake) in mistakes.enumerated() {
      own[place * 3] = Int64(mistake.sample)
      own[place * 3 + 1] = Int64(mistake.target)
      own[place * 3 + 2] = Int64(mistake.prediction)
    }
    var all = Array(repeating: Int64(-1), count: own.count * communicator.size)
    try own.withUnsafeBytes { own in
      try all.withUnsafeMutableBytes { all in
        try communicator.allGather(own, into: all, label: "evaluation mistakes")
      }
    }
    let found = stride(from: 0, to: all.count, by: 3).compactMap { place in
      all[place] < 0
        ? nil : (sample: Int(all[place]), target: Int(all[place + 1]), prediction: Int(all[place + 2]))
    }
    mistakes = Array(found.sorted { $0.sample < $1.sample }.prefix(Self.mistakeLimit))
  }

  /// The means over all targets.
  var result: EvaluationResult {
    var (loss, hits, count) = (0.0, 0.0, 0.0)
    for place in stride(from: 0, to: sums.count, by: 3) {
      loss += sums[place]
      hits += sums[place + 1]
      count += sums[place + 2]
    }
    return EvaluationResult(
      loss: loss / count, accuracy: hits / count, count: Int(count),
      confusion: (0..<classes).map { row in
        (0..<classes).map { Int(confusion[row * classes + $0]) }
      }, mistakes: mistakes)
  }
}
