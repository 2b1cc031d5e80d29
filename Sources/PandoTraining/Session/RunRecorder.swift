import Foundation
import Pando
import PandoData

/// Writes a run's figures as they come: `ledger.json`, `metrics.jsonl`, TensorBoard events, and the progress line.
final class RunRecorder: TrainingObserver {
  private let ledger: RunLedger
  private let log: MetricsLog
  private let events: EventFile
  private var progress: ProgressLine?
  private let secondsBefore: Double
  private var start = ContinuousClock.now
  /// Steps between two records; the first and the last are always recorded.
  private let interval: Int
  /// In samples a second; `nil` before the first step.
  private var lastSpeed: Double?

  /// - Parameters:
  ///   - step: the step from which the run goes on; `nil` for a new one.
  ///   - secondsBefore: training time of earlier sessions.
  init(
    _ folder: RunFolder, ledger: RunLedger, resumingAfter step: Int?, secondsBefore: Double, totalSteps: Int,
    progress: ProgressLine?
  ) throws {
    self.ledger = ledger
    log = try MetricsLog(folder.metrics, resumingAfter: step)
    events = try EventFile(in: folder.url, resumingAfter: step)
    self.secondsBefore = secondsBefore
    interval = max(1, totalSteps / 1000)
    self.progress = progress
  }

  /// Training time of all sessions, in seconds.
  var seconds: Double { secondsBefore + start.duration(to: .now) / .seconds(1) }

  /// Mean speed of this session, in samples a second.
  func speed(of run: TrainingRun, since step: Int) -> Double {
    let elapsed = seconds - secondsBefore
    return elapsed > 0 ? Double((run.step - step) * run.samplesPerStep) / elapsed : 0
  }

  func willStart(_ run: TrainingRun) { start = .now }

  func didStep(_ record: StepRecord, _ run: TrainingRun) throws {
    ledger.didStep(record.step)
    lastSpeed = record.samplesPerSecond
    progress?.update(state(run, loss: record.loss))
    guard record.step.isMultiple(of: interval) || record.step == 1 || record.step == run.totalSteps else {
      return
    }
    var row = self.row(run)
    row.trainLoss = record.loss
    row.learningRate = record.learningRate
    row.gradientNorm = record.gradientNorm
    row.samplesPerSecond = record.samplesPerSecond
    row.figures = record.figures
    row.bubble = record.bubble
    if run.ranks.count > 1 { row.sentBytes = record.sentBytes }
    row.rankSeconds = run.rankTimes?.last ?? []
    try log.append(row)
    try events.write(
      [
        ("loss/train", record.loss), ("learning-rate", record.learningRate),
        ("gradient-norm", record.gradientNorm),
        ("samples-per-second", record.samplesPerSecond),
      ] + record.figures.sorted { $0.key < $1.key }.map { ("\($0.key)/train", $0.value) }, step: record.step)
  }

  func didEvaluate(_ record: EvaluationRecord, _ run: TrainingRun) throws {
    var row = self.row(run)
    row.evaluation = run.figures(of: record.result)
    try log.append(row)
    try events.write(
      row.evaluation.sorted { $0.key < $1.key }.map { ("\($0.key)/eval", $0.value) }, step: record.step)
    let metric = run.recipe.objective.metric ?? .loss
    progress?.message(
      "step \(Figures.grouped(record.step)) · \(metric.rawValue) \(Figures.metric(metric.rawValue, record.result.value(metric)))"
        + (record.isBest ? " · best so far" : ""))
  }

  /// Ends the progress line; there is none where nothing was left to train.
  func finish(_ run: TrainingRun) {
    if lastSpeed != nil { progress?.finish(state(run, loss: run.lastLoss)) } else { progress?.clear() }
  }

  private func row(_ run: TrainingRun) -> MetricsRow {
    MetricsRow(step: run.step, epoch: run.epochs, samples: run.position, seconds: seconds)
  }

  private func state(_ run: TrainingRun, loss: Double) -> ProgressState {
    let metric = run.recipe.objective.metric ?? .loss
    let speed = lastSpeed ?? 0
    let left = speed > 0 ? Double((run.totalSteps - run.step) * run.samplesPerStep) / speed : nil
    return ProgressState(
      step: run.step, totalSteps: run.totalSteps, loss: loss,
      metric: run.lastEvaluation.map { (metric.rawValue, $0.value(metric)) }, samplesPerSecond: speed,
      secondsLeft: left, balance: run.lastFigures["balance_loss"])
  }
}

extension TrainingRun {
  /// An evaluation's figures by name: the loss, the objective's metric, and what goes with the kind of task.
  func figures(of result: EvaluationResult) -> [String: Double] {
    var metrics: Set<Recipe.Metric> = [.loss, recipe.objective.metric ?? .loss]
    if case .language(let vocabulary) = task.kind {
      metrics.insert(.perplexity)
      if vocabulary.unit == .character { metrics.insert(.bitsPerCharacter) }
    } else {
      metrics.insert(.accuracy)
    }
    return Dictionary(uniqueKeysWithValues: metrics.map { ($0.rawValue, result.value($0)) })
  }
}
