import Foundation
import Pando
import PandoData

/// Drives a run: steps, evaluations, checkpoints, and the end.
public struct Trainer {
  private let run: TrainingRun
  private let observers: [any TrainingObserver]
  private let checkpoints: (any CheckpointKeeper)?
  private let profiler: TrainingProfiler?
  private let agreement: StepAgreement

  /// - Parameters:
  ///   - run: what is trained, from the step where it stands.
  ///   - observers: who is told.
  ///   - checkpoints: where the state is saved; `nil` saves nothing.
  ///   - profiler: takes down what happens in a few steps.
  ///   - shouldStop: asked after every step; `true` on any rank ends the run on all after a checkpoint.
  public init(
    _ run: TrainingRun, observers: [any TrainingObserver] = [], checkpoints: (any CheckpointKeeper)? = nil,
    profiler: TrainingProfiler? = nil, shouldStop: @escaping () -> Bool = { false }
  ) {
    self.run = run
    self.observers = observers
    self.checkpoints = checkpoints
    self.profiler = profiler
    agreement = StepAgreement(run, shouldStop: shouldStop)
  }

  /// Trains to the end.
  ///
  /// - Throws: `TrainingError` where loss or gradients stop being finite (the weights are those before that step);
  ///   whatever reading data or writing files throws.
  public func train() throws -> StopReason {
    let reason: StopReason
    do {
      reason = try steps()
      try checkpoints?.finish()
    } catch {
      checkpoints?.abandon()
      throw error
    }
    try profiler?.finish(title: run.recipe.name)
    return reason
  }

  private func steps() throws -> StopReason {
    let feeds = try run.program.slices.map {
      try BatchFeed(run.task, run.recipe, $0, step: run.step, samples: run.samplesPerStep)
    }
    for observer in observers { observer.willStart(run) }
    var meter = RateMeter()
    var savedAt = run.step
    while run.step < run.totalSteps {
      try profiler?.willStep(remaining: run.totalSteps - run.step, title: run.recipe.name)
      let record = try profiler.watch(.thread(0), "step \(run.step + 1)", "step") { try step(feeds, &meter) }
      try profiler.watch(.records, "metrics", "metrics") {
        for observer in observers { try observer.didStep(record, run) }
      }
      var reason: StopReason?
      if run.step.isMultiple(of: run.evaluationInterval) || run.step == run.totalSteps {
        let isBest = try evaluate()
        reason = stopReason()
        if run.recipe.checkpoint.every == nil || isBest {
          try save(isBest: isBest)
          savedAt = run.step
        }
        meter.pause()
      }
      if let every = run.recipe.checkpoint.every, run.step.isMultiple(of: every), savedAt != run.step {
        try save(isBest: false)
        savedAt = run.step
      }
      let answer = try agreement.ask(
        seconds: record.ownSeconds, isWritten: checkpoints?.isWritten ?? true)
      run.rankTimes = agreement.times
      if answer.areWritten { try checkpoints?.settle() }
      if answer.stops, run.step < run.totalSteps, reason == nil { reason = .interrupted }
      guard let reason else { continue }
      if savedAt != run.step { try save(isBest: false) }
      return reason
    }
    if savedAt != run.step { try save(isBest: false) }
    return .finished
  }

  private func step(_ feeds: [BatchFeed], _ meter: inout RateMeter) throws -> StepRecord {
    // What waits for another rank is reported with its step.
    let recorder = run.ranks.communicator?.recorder
    recorder?.step = run.step + 1
    let seed = UInt64(run.recipe.seed)
    let rate = run.recipe.train.optimizer.learningRate * run.schedule.factor(at: run.step)
    profiler?.prepare(feeds)
    let (start, blocked) = (ContinuousClock.now, recorder?.blockedSeconds ?? 0)
    let report = try run.program.run(
      run.step, seed: seed, rate: rate, feeds: feeds, timing: profiler?.timing)
    let seconds = start.duration(to: .now) / .seconds(1)
    let ownSeconds = max(0, seconds - ((recorder?.blockedSeconds ?? 0) - blocked))
    run.traffic.add(report.traffic, stepSeconds: seconds)
    profiler?.take(feeds)
    profiler?.take(report.waits)
    profiler?.takeExchanges()
    guard report.isFinite else {
      let culprit = try run.culprit(feeds)
      throw TrainingError(
        "step \(run.step + 1): the \(report.loss.isFinite ? "gradient" : "loss") is not finite"
          + (culprit.map { "; the first value that is not came from \($0)" } ?? "")
          + ". The weights are those before this step. Try a lower train.optimizer.learning-rate or train.clip-norm"
      )
    }
    run.step += 1
    run.lastLoss = report.loss
    run.lastFigures = report.figures
    if let bubble = report.bubble { run.bubble?.add(bubble) }
    meter.add(run.samplesPerStep)
    return StepRecord(
      step: run.step, loss: report.loss, gradientNorm: report.gradientNorm, learningRate: rate,
      samples: run.position,
      samplesPerSecond: meter.rate, ownSeconds: ownSeconds, sentBytes: report.traffic.sentBytes,
      exchangeSeconds: report.traffic.seconds, figures: report.figures,
      bubble: report.bubble.map { $0.idleSeconds / $0.busySeconds })
  }

  /// Measures the held-out samples; whether the metric has never been better.
  private func evaluate() throws -> Bool {
    let result = try profiler.watch(.records, "evaluation", "evaluation") { try run.evaluator.run() }
    run.lastEvaluation = result
    let metric = run.recipe.objective.metric ?? .loss
    let value = result.value(metric)
    let isBest = run.best.map { metric.isHigherBetter ? value > $0.value : value < $0.value } ?? true
    if isBest {
      run.best = (value, run.step)
      run.evaluationsSinceBest = 0
    } else {
      run.evaluationsSinceBest += 1
    }
    let record = EvaluationRecord(step: run.step, result: result, isBest: isBest)
    for observer in observers { try observer.didEvaluate(record, run) }
    return isBest
  }

  private func stopReason() -> StopReason? {
    let objective = run.recipe.objective
    if let target = objective.target, let best = run.best {
      if (objective.metric ?? .loss).isHigherBetter ? best.value >= target : best.value <= target {
        return .target
      }
    }
    if let patience = objective.patience, run.evaluationsSinceBest >= patience { return .patience }
    return nil
  }

  private func save(isBest: Bool) throws {
    for observer in observers { try observer.willSave(run) }
    guard let checkpoints else { return }
    try profiler.watch(.records, "checkpoint", "checkpoint") { try checkpoints.save(run, isBest: isBest) }
    for observer in observers { observer.didSave(step: run.step, run) }
  }
}

/// Samples a second over the last few seconds of training, without what lies between.
struct RateMeter {
  private var marks: [(time: ContinuousClock.Instant, total: Int)] = []
  private var total = 0

  mutating func add(_ samples: Int) {
    total += samples
    let now = ContinuousClock.now
    marks.append((now, total))
    while marks.count > 2, let first = marks.first, first.time.duration(to: now) > .seconds(5) {
      marks.removeFirst()
    }
  }

  /// Time until the next step does not count.
  mutating func pause() { marks = [] }

  var rate: Double {
    guard let first = marks.first, let last = marks.last, marks.count > 1 else { return 0 }
    let seconds = first.time.duration(to: last.time) / .seconds(1)
    return seconds > 0 ? Double(last.total - first.total) / seconds : 0
  }
}
