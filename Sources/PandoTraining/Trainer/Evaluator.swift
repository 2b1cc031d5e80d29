import Foundation
import Pando
import PandoData
import PandoNN

/// What the held-out samples say of a network.
public struct EvaluationResult: Sendable {
  /// Mean cross entropy in nats.
  public let loss: Double
  /// Share of targets whose class got the highest score.
  public let accuracy: Double
  /// How many targets there were.
  public let count: Int
  /// For classification, `confusion[target][prediction]`.
  public let confusion: [[Int]]
  /// Places of the first misclassified samples among the held-out ones, with target and prediction.
  public let mistakes: [(sample: Int, target: Int, prediction: Int)]

  /// A figure by its name in recipes.
  public func value(_ metric: Recipe.Metric) -> Double {
    switch metric {
    case .accuracy: accuracy
    case .loss: loss
    case .bitsPerCharacter: loss / log(2)
    case .perplexity: exp(loss)
    }
  }
}

/// Runs the network over the held-out samples.
final class Evaluator {
  private let task: TrainingTask
  private let body: Body
  private let weightCount: Int
  private let batch: Int
  private let rowsPerSample: Int
  private let mask: HostBuffer
  private let lossSum = HostBuffer(.scalar(.float32))
  private let correct = HostBuffer(.scalar(.float32))
  private let counted = HostBuffer(.scalar(.float32))
  private let predictions: HostBuffer
  private let ranks: Ranks
  /// Over which ranks the program is spread; `nil` where each rank does batches of its own.
  private let parallelism: Parallelism?
  /// The targets of all ranks' samples, where predictions are counted and the program is spread.
  private let targets: HostBuffer?
  /// Stands in for a part of a batch that is empty.
  private let part: [HostBuffer]

  /// What computes the figures of a batch.
  private enum Body {
    case whole(Program)
    case stages(EvaluationPipeline)
  }

  /// The memory of the evaluation program.
  var memory: MemoryReport {
    switch body {
    case .whole(let program): program.memory
    case .stages(let stages): stages.memory
    }
  }

  init(
    _ state: TrainingState, task: TrainingTask, batch: Int, precision: Recipe.Precision, device: Device,
    ranks: Ranks
  ) throws {
    self.task = task
    self.ranks = ranks
    parallelism = state.parallelism
    let parts = state.parallelism?.strategy.sampleParts ?? 1
    let batch = (batch + parts - 1) / parts * parts
    self.batch = batch
    rowsPerSample = task.targetType.count
    let x = Tensor.placeholder("input", task.inputType.with(shape: [batch] + task.inputType.shape))
    let y = Tensor.placeholder("target", task.targetType.with(shape: [batch] + task.targetType.shape))
    let maskTensor = Tensor.placeholder("mask", TensorType([batch * rowsPerSample]))
    mask = HostBuffer(maskTensor.type.withSamples(batch / parts * rowsPerSample))
    predictions = HostBuffer(TensorType([batch * rowsPerSample], .int32))
    let weights = state.weights.map(\.placeholder)
    let scores = try precision.applied(to: [state.model(x, .evaluation())], of: weights + [x])
    let logits = scores[0].reshape(-1, task.classes)
    let rows = crossEntropyRows(logits, y.reshape(-1), ignoring: task.ignoredTarget)
    let predicted = logits.argmax()
    let hits = (predicted .== y.reshape(-1)).cast(.float32)
    let places = task.countedPlaces(y.reshape(-1)).map { $0 * maskTensor } ?? maskTensor
    weightCount = weights.count
    let samples = [x, y, maskTensor]
    // Every rank counts all predictions of a spread program, and so needs all targets.
    let wanted = parallelism == nil ? [] : [y.reshape(-1)]
    targets = wanted.first.map { HostBuffer($0.type) }
    let results = [(rows * places).sum(), (hits * places).sum(), places.sum(), predicted] + wanted
    let buffers = [lossSum, correct, counted, predictions] + (targets.map { [$0] } ?? [])
    part = [x, y].map { HostBuffer($0.type.withSamples(batch / parts)) }
    if let parallelism, let stage = parallelism.stage {
      body = .stages(
        try EvaluationPipeline(
          results, samples: samples, into: buffers, state, parallelism, stage, device: device))
      return
    }
    let spread = parallelism.map { parallelism in
      Spread(
        parallelism.group,
        inputs: state.weights.map(\.placement)
          + samples.map { parallelism.strategy.samples(rank: $0.rank) as Placement? },
        outputs: [], names: parallelism.strategy.activationAxes)
    }
    let program = try Program(
      results, inputs: weights + samples, on: device, frozen: Set(weights.indices), spread: spread)
    body = .whole(program)
    program.bind(state.weights.map(\.buffer) + part + [mask], into: buffers)
  }

  /// Measures every held-out sample; all ranks do it together, a batch each in turn or a part of each batch, and get the
  /// same result.
  func run(progress: (Double) -> Void = { _ in }) throws -> EvaluationResult {
    if let parallelism { return try run(over: parallelism, progress: progress) }
    // Training has changed the weights where they lie.
    if case .whole(let program) = body { program.refresh() }
    let loader = try task.heldLoader(batch: batch, rank: ranks.rank, of: ranks.count)
    var tally = EvaluationTally(
      batches: (task.held.count + batch - 1) / batch, classes: classes)
    while let next = try loader.next() {
      guard next.validCount > 0 else {
        loader.recycle(next)
        continue
      }
      setMask(next.validCount)
      let (input, target) = try task.buffers(of: next)
      try compute(input, target)
      tally.add(
        batch: next.position / batch, loss: lossSum.pointer.load(as: Float.self),
        hits: correct.pointer.load(as: Float.self), targets: Double(counted.pointer.load(as: Float.self)))
      if classes > 0 {
        tally.add(
          position: next.position, valid: next.validCount, targets: target, predictions: predictions)
      }
      progress(Double(next.position + next.validCount) / Double(task.held.count))
      loader.recycle(next)
    }
    if let communicator = ranks.communicator { try tally.merge(over: communicator) }
    return tally.result
  }

  /// Each rank puts in its part of every batch; what comes out is for the whole batch, on every rank.
  private func run(
    over parallelism: Parallelism, progress: (Double) -> Void
  ) throws -> EvaluationResult {
    let parts = parallelism.strategy.sampleParts
    let loader = try task.heldLoader(batch: batch / parts, rank: parallelism.sampleIndex, of: parts)
    let batches = (task.held.count + batch - 1) / batch
    var tally = EvaluationTally(batches: batches, classes: classes)
    for number in 0..<batches {
      // A rank whose part of the last batch is empty takes part all the same.
      let next = try loader.next()
      setMask(next?.validCount ?? 0)
      let (input, target) = try next.map { try task.buffers(of: $0) } ?? (part[0], part[1])
      try compute(input, target)
      let position = number * batch
      let valid = min(batch, task.held.count - position)
      tally.add(
        batch: number, loss: lossSum.pointer.load(as: Float.self),
        hits: correct.pointer.load(as: Float.self), targets: Double(counted.pointer.load(as: Float.self)))
      if classes > 0, let targets {
        tally.add(position: position, valid: valid, targets: targets, predictions: predictions)
      }
      progress(Double(position + valid) / Double(task.held.count))
      if let next { loader.recycle(next) }
    }
    return tally.result
  }

  private func compute(_ input: HostBuffer, _ target: HostBuffer) throws {
    switch body {
    case .whole(let program):
      program.rebind(weightCount, input)
      program.rebind(weightCount + 1, target)
      try program.run()
    case .stages(let stages): try stages.run([input, target, mask])
    }
  }

  /// Classes that are told apart one by one; 0 for text.
  private var classes: Int {
    if case .classification(let count, _) = task.kind { count } else { 0 }
  }

  private func setMask(_ valid: Int) {
    let floats = mask.pointer.assumingMemoryBound(to: Float.self)
    for row in 0..<mask.type.count { floats[row] = row < valid * rowsPerSample ? 1 : 0 }
  }
}

extension TrainingTask {
  /// The input and target of a batch, in the loader's memory.
  func buffers(of batch: Batch) throws -> (HostBuffer, HostBuffer) {
    guard let input = batch[inputField], let target = batch[targetField] else {
      throw DataError(.notFound, at: "batch", "lacks the field '\(inputField)' or '\(targetField)'")
    }
    return (
      HostBuffer(input.type, borrowing: input.pointer), HostBuffer(target.type, borrowing: target.pointer)
    )
  }
}
