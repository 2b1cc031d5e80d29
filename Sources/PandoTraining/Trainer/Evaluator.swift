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
  private let program: Program
  private let weightCount: Int
  private let batch: Int
  private let rowsPerSample: Int
  private let mask: HostBuffer
  private let lossSum = HostBuffer(.scalar(.float32))
  private let correct = HostBuffer(.scalar(.float32))
  private let predictions: HostBuffer

  /// The memory of the evaluation program.
  var memory: MemoryReport { program.memory }

  init(_ state: TrainingState, task: TrainingTask, batch: Int, device: Device) throws {
    self.task = task
    self.batch = batch
    rowsPerSample = task.targetType.count
    let x = Tensor.placeholder("input", task.inputType.with(shape: [batch] + task.inputType.shape))
    let y = Tensor.placeholder("target", task.targetType.with(shape: [batch] + task.targetType.shape))
    let maskTensor = Tensor.placeholder("mask", TensorType([batch * rowsPerSample]))
    mask = HostBuffer(maskTensor.type)
    predictions = HostBuffer(TensorType([batch * rowsPerSample], .int32))
    let logits = state.model(x, .evaluation()).reshape(-1, task.classes)
    let rows = crossEntropyRows(logits, y.reshape(-1))
    let predicted = logits.argmax()
    let hits = (predicted .== y.reshape(-1)).cast(.float32)
    let weights = state.weights.map(\.placeholder)
    weightCount = weights.count
    program = try Program(
      [(rows * maskTensor).sum(), (hits * maskTensor).sum(), predicted],
      inputs: weights + [x, y, maskTensor],
      on: device)
    program.bind(
      state.weights.map(\.buffer) + [HostBuffer(x.type), HostBuffer(y.type), mask],
      into: [lossSum, correct, predictions])
  }

  func run(progress: (Double) -> Void = { _ in }) throws -> EvaluationResult {
    let loader = try task.heldLoader(batch: batch)
    var (loss, hits, count) = (0.0, 0.0, 0)
    var confusion: [[Int]] = []
    if case .classification(let classes, _) = task.kind {
      confusion = Array(repeating: Array(repeating: 0, count: classes), count: classes)
    }
    var mistakes: [(sample: Int, target: Int, prediction: Int)] = []
    while let next = try loader.next() {
      setMask(next.validCount)
      let (input, target) = try task.buffers(of: next)
      program.rebind(weightCount, input)
      program.rebind(weightCount + 1, target)
      try program.run()
      loss += Double(lossSum.pointer.load(as: Float.self))
      hits += Double(correct.pointer.load(as: Float.self))
      count += next.validCount * rowsPerSample
      if !confusion.isEmpty { tally(next, target, &confusion, &mistakes) }
      progress(Double(next.position + next.validCount) / Double(task.held.count))
      loader.recycle(next)
    }
    return EvaluationResult(
      loss: loss / Double(count), accuracy: hits / Double(count), count: count, confusion: confusion,
      mistakes: mistakes)
  }

  private func setMask(_ valid: Int) {
    let floats = mask.pointer.assumingMemoryBound(to: Float.self)
    for row in 0..<batch * rowsPerSample { floats[row] = row < valid * rowsPerSample ? 1 : 0 }
  }

  private func tally(
    _ batch: Batch, _ target: HostBuffer, _ confusion: inout [[Int]],
    _ mistakes: inout [(sample: Int, target: Int, prediction: Int)]
  ) {
    let targets = target.pointer.assumingMemoryBound(to: Int32.self)
    let predicted = predictions.pointer.assumingMemoryBound(to: Int32.self)
    for row in 0..<batch.validCount {
      let (wanted, got) = (Int(targets[row]), Int(predicted[row]))
      guard confusion.indices.contains(wanted), confusion.indices.contains(got) else { continue }
      confusion[wanted][got] += 1
      if wanted != got && mistakes.count < 24 { mistakes.append((batch.position + row, wanted, got)) }
    }
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
