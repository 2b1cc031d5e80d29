import Foundation
import Pando
import PandoData

/// A run from its recipe to its folder: what `pando train` does.
public struct TrainingSession {
  /// How the run came out.
  public struct Outcome: Sendable {
    /// The figures in `summary.json`.
    public let summary: RunSummary
    /// Why it ended.
    public let reason: StopReason
    /// How long each rank's own work took; `nil` where there is one rank.
    public let rankTimes: RankTimes?
    /// The run's folder.
    public let folder: URL
  }

  /// What is trained and how.
  public let recipe: Recipe
  /// The run's folder.
  public let folder: RunFolder
  /// Whether to go on from the latest checkpoint.
  public let resumes: Bool
  /// Where catalogued data sets are.
  public let dataFolder: URL
  /// Where the run runs.
  public let device: Device
  /// Where progress is shown; `nil` for nowhere.
  public let progress: ProgressLine?
  /// Who trains together; every rank runs a session of the same recipe.
  public let ranks: Ranks
  /// Whether a few steps of all ranks are taken down in the run's `trace.json`.
  public let profiles: Bool
  /// How often the ranks were started again by whoever watches over them.
  public let restarts: Int
  /// Whether the folder gets a page for people.
  public let hasReport: Bool
  /// Who else is told what happens, on the first rank.
  public let observers: [any TrainingObserver]

  /// A session; nothing happens until `run`.
  public init(
    _ recipe: Recipe, folder: RunFolder, resumes: Bool, dataFolder: URL, device: Device,
    progress: ProgressLine?,
    ranks: Ranks = .single, profiles: Bool = false, restarts: Int = 0,
    hasReport: Bool = true, observers: [any TrainingObserver] = []
  ) {
    self.recipe = recipe
    self.folder = folder
    self.resumes = resumes
    self.dataFolder = dataFolder
    self.device = device
    self.progress = ranks.isFirst ? progress : nil
    self.ranks = ranks
    self.profiles = profiles
    self.restarts = restarts
    self.hasReport = hasReport
    self.observers = observers
  }

  /// Trains to the end and writes everything that a run's folder holds.
  ///
  /// - Parameters:
  ///   - note: is told what a person would want to know.
  ///   - shouldStop: asked after every step; `true` ends the run after a checkpoint.
  /// - Throws: `RecipeError`, `DataError`, `TypeError`, `CheckpointError` or `EngineError` before anything is trained;
  ///   `TrainingError` where training cannot go on.
  public func run(note: (String) -> Void, shouldStop: @escaping () -> Bool) throws -> Outcome {
    do { return try train(note: note, shouldStop: shouldStop) } catch {
      // The others would wait for this rank for ever.
      ranks.communicator?.abort("\(error)")
      throw error
    }
  }

  private func train(note: (String) -> Void, shouldStop: @escaping () -> Bool) throws -> Outcome {
    let energy = try RunEnergy(recipe.energy, ranks: ranks, threads: device.threads)
    if let problem = energy.problem { note("energy: \(problem)") }
    let task = try TrainingTask(recipe, dataFolder: dataFolder)
    let found = latestCheckpoint(note: note)
    let run = try TrainingRun(
      recipe, task: task, device: device(goingOnFrom: found), ranks: ranks, scratch: folder.url)
    let resident = run.plannedResidentBytes(now: ProcessFigures.residentBytes)
    let secondsBefore = try resume(run, energy, from: found)
    let firstStep = run.step
    if firstStep >= run.totalSteps {
      note(
        "the run is complete: \(Figures.grouped(firstStep)) steps are done, and the recipe asks for "
          + "\(Figures.grouped(run.totalSteps)); to train on, set \(recipe.train.steps == nil ? "train.epochs" : "train.steps") "
          + "higher")
    } else if firstStep > 0 {
      note("going on from step \(Figures.grouped(firstStep))")
    }
    note(run.headline)
    if let spread = run.spreadLine { note(spread) }
    let profiler = profiles ? TrainingProfiler(writingTo: folder.trace, ranks: ranks) : nil

    guard ranks.isFirst else {
      let start = ContinuousClock.now
      let reason = try Trainer(
        run, observers: [energy],
        checkpoints: StateCheckpoints(folder.checkpoints, of: run, seconds: { 0 }), profiler: profiler,
        shouldStop: shouldStop
      ).train()
      if run.lastEvaluation == nil { run.lastEvaluation = try run.evaluator.run() }
      try run.gatherForReport()
      let seconds = start.duration(to: .now) / .seconds(1)
      try energy.agree()
      let summary = try summary(
        run, energy, resident, seconds: secondsBefore + seconds,
        speed: seconds > 0 ? Double((run.step - firstStep) * run.samplesPerStep) / seconds : 0)
      return Outcome(summary: summary, reason: reason, rankTimes: run.rankTimes, folder: folder.url)
    }
    try folder.prepare(resuming: resumes)
    try folder.write(recipe)
    try folder.writePlan(run.plan)
    let ledger = try RunLedger(folder.ledger, resumes: resumes, from: firstStep, restarts: restarts)
    let recorder = try RunRecorder(
      folder, ledger: ledger, resumingAfter: firstStep > 0 ? firstStep : nil, secondsBefore: secondsBefore,
      totalSteps: run.totalSteps, progress: progress)
    let checkpoints = try StateCheckpoints(
      folder.checkpoints, of: run, seconds: { recorder.seconds }, energy: { energy.tally.values })
    let trainer = Trainer(
      run, observers: [recorder, energy] + observers, checkpoints: checkpoints, profiler: profiler,
      shouldStop: shouldStop)
    let reason = try trainer.train()
    recorder.finish(run)
    if run.lastEvaluation == nil { run.lastEvaluation = try run.evaluator.run() }
    try run.gatherForReport()
    try energy.agree()
    var summary = try summary(
      run, energy, resident, seconds: recorder.seconds, speed: recorder.speed(of: run, since: firstStep))
    summary.restarts = ledger.entry.restarts
    summary.wastedSteps = ledger.entry.wastedSteps
    try folder.write(summary)
    try folder.writePlan(run.plan)
    if hasReport {
      try folder.write(RunReport(run, summary: summary, reason: reason, folder: folder).data())
    }
    ledger.end()
    return Outcome(summary: summary, reason: reason, rankTimes: run.rankTimes, folder: folder.url)
  }

  /// The checkpoint from which the run goes on, where that is wanted; only the first rank's files count.
  private func latestCheckpoint(note: (String) -> Void) -> CheckpointStore.Found? {
    guard resumes, ranks.isFirst else { return nil }
    let found = folder.checkpoints.latest { note("passed over \($0); taking the checkpoint before it") }
    if found == nil {
      note("no checkpoint in \(folder.checkpoints.folder.path); starting from the beginning")
    }
    return found
  }

  /// The device as the run uses it. Methods are measured once for a run, which decides as it did before when it goes on.
  /// Ranks, and runs that must not depend on the machine, go by rule, which gives all of them the same.
  private func device(goingOnFrom found: CheckpointStore.Found?) throws -> Device {
    guard ranks.count == 1, !recipe.reproducible else { return device.with(methods: nil) }
    if let found { device.methods?.follow(try StateCheckpoints.methods(of: found)) }
    return device
  }

  /// Puts a checkpoint into the run. The first rank reads it and tells the others.
  ///
  /// - Returns: training time before the checkpoint, in seconds.
  private func resume(_ run: TrainingRun, _ energy: RunEnergy, from found: CheckpointStore.Found?) throws
    -> Double
  {
    guard resumes else { return 0 }
    let spent = try found.map { try StateCheckpoints.restore($0, into: run) } ?? StateCheckpoints.Spent()
    if ranks.isFirst { energy.resume(spent.energy) }
    if let communicator = ranks.communicator { try run.shareState(over: communicator) }
    try run.shareCarried(from: found)
    return spent.seconds
  }

  private func summary(
    _ run: TrainingRun, _ energy: RunEnergy, _ plannedResident: Int, seconds: Double, speed: Double
  ) throws -> RunSummary {
    let plan = run.plan
    let digest = try run.weightsDigest()
    try ranks.requireEqual(weights: digest)
    let residency = try RankResidency(planned: plannedResident, among: ranks)
    var summary = RunSummary(
      steps: run.step, epochs: run.epochs, samples: run.position, seconds: seconds, samplesPerSecond: speed,
      trainLoss: run.lastLoss, eval: run.lastEvaluation.map { run.figures(of: $0) } ?? [:],
      parameters: run.parameterCount, peakMemoryBytes: plan.measuredBytes,
      plannedMemoryBytes: plan.plannedBytes,
      ranks: ranks.count, device: device.name, precision: recipe.train.precision.rawValue,
      weightsSHA256: digest,
      seed: recipe.seed, sentBytesPerStep: run.traffic.sentBytesPerStep,
      exchangeShare: run.traffic.exchangeShare, rankSeconds: run.rankTimes?.means ?? [],
      plannedResidentBytes: residency.planned, residentBytes: residency.measured, energy: energy.figures,
      offloadedBytes: plan.offloadedBytes,
      offloadWaitSeconds: run.program.programs.reduce(0) { $0 + $1.offloadWait })
    summary.balanceLoss = run.lastFigures["balance_loss"]
    summary.droppedShare = run.lastFigures["dropped_share"]
    summary.bubble = run.bubble?.measured
    summary.bubbleFormula = run.bubble?.formula
    return summary
  }
}

extension TrainingRun {
  /// The run in a line: `fashion-mnist: cnn with 423,562 parameters on 60,000 samples, 3,744 steps, 98 MiB planned`.
  var headline: String {
    let plan = plan
    let size =
      "\(Figures.bytes(plan.plannedBytes)) planned"
      + (plan.offloadedBytes > 0 ? " and \(Figures.bytes(plan.offloadedBytes)) in files" : "")
    return "\(recipe.name): \(recipe.model.kindName) with \(Figures.grouped(parameterCount)) parameters on "
      + "\(Figures.grouped(task.training.count)) samples, \(Figures.grouped(totalSteps)) steps, \(size)"
  }
}

extension Recipe.Model {
  /// The kind's name in recipes.
  var kindName: String {
    switch self {
    case .mlp: "mlp"
    case .residualMLP: "residual-mlp"
    case .cnn: "cnn"
    case .resnet: "resnet"
    case .vit: "vit"
    case .gpt: "gpt"
    }
  }
}
