import Foundation
import Pando
import PandoData
import PandoNN
import PandoOptimizers

/// One training run: state, programs and the place in the data. `Trainer` drives it; observers read it.
public final class TrainingRun {
  /// What is trained and how.
  public let recipe: Recipe
  /// What the data ask for.
  public let task: TrainingTask
  /// Where it runs.
  public let device: Device
  let state: TrainingState
  let program: any StepProgram
  /// Who trains together.
  public let ranks: Ranks
  let evaluator: Evaluator
  let schedule: any Schedule
  /// The update rule's name, as checkpoints record it.
  let optimizerName: String
  /// Steps that the whole run has.
  public let totalSteps: Int
  /// Steps between evaluations.
  public let evaluationInterval: Int
  /// Steps done.
  public internal(set) var step = 0
  /// The best value of the objective's metric, and the step that reached it.
  public internal(set) var best: (value: Double, step: Int)?
  /// Evaluations since the best one.
  var evaluationsSinceBest = 0
  /// The loss of the last step.
  public internal(set) var lastLoss = Double.nan
  /// What the ranks carry, on the first rank while a checkpoint is made.
  var gathered: [Gathered] = []
  /// What all steps of this session sent.
  public internal(set) var traffic = TrafficCount()
  /// How long each rank's own work takes; `nil` where there is one rank.
  public internal(set) var rankTimes: RankTimes?
  /// The last evaluation.
  public internal(set) var lastEvaluation: EvaluationResult?
  /// On the first rank of a spread run the whole state, while something wants it: a checkpoint, or a report.
  var wholeState: TrainingState.Whole?

  /// Builds the model, compiles the programs and draws the first weights.
  ///
  /// - Parameters:
  ///   - ranks: who trains together; every rank builds the same run.
  ///   - isPlan: whether it is only looked at: its weights then have no memory, and it cannot be trained.
  /// - Throws: `RecipeError`, `TypeError` (naming the layer) or `EngineError`.
  public init(
    _ recipe: Recipe, task: TrainingTask, device: Device, ranks: Ranks = .single, isPlan: Bool = false
  ) throws {
    self.recipe = recipe
    self.ranks = ranks
    self.task = task
    self.device = device
    try Self.checkSupported(recipe, ranks)
    let optimizer = recipe.train.optimizer.makeOptimizer()
    optimizerName = optimizer.name
    let layer = try recipe.model.makeLayer(inputType: task.inputType, classes: task.classes)
    state = try TrainingState(
      layer, optimizer: optimizer, seed: UInt64(recipe.seed), threads: device.threads, isPlan: isPlan
    ) { try Parallelism(recipe, layer, $0, task: task, ranks: ranks) }
    let samplesPerStep = recipe.data.batch * recipe.train.accumulate
    guard samplesPerStep <= task.training.count else {
      throw RecipeError(
        keyPath: "data.batch",
        message:
          "a step takes \(samplesPerStep) samples, but the data hold \(task.training.count); use a smaller batch"
      )
    }
    let stepsPerEpoch = max(1, task.training.count / samplesPerStep)
    totalSteps = recipe.train.steps ?? (recipe.train.epochs ?? 1) * stepsPerEpoch
    // Where ranks train on their own for a while, there is one network to be measured at the end of a round only.
    let round = recipe.parallel.local.interval ?? 1
    evaluationInterval =
      recipe.train.evaluate.every ?? (min(stepsPerEpoch, totalSteps) + round - 1) / round * round
    schedule = recipe.train.schedule.makeSchedule(steps: totalSteps)
    let rows = task.targetType.count
    let evaluationBatch = min(task.held.count, max(recipe.data.batch, rows == 1 ? 256 : 1))
    // The time for measuring methods is the step's.
    evaluator = try Evaluator(
      state, task: task, batch: evaluationBatch, precision: recipe.train.precision,
      device: device.with(methods: nil),
      ranks: ranks)
    // What a step may take is what the rest leaves.
    let fixed = RunPlan.fixedBytes(recipe, state, task, evaluator, ranks)
    let budget = StepBudget(policy: recipe.train.recompute, limit: recipe.train.memory.map { $0 - fixed })
    do {
      program = try Self.makeStep(
        state, task, recipe, optimizer, device, ranks, budget, steps: totalSteps)
    } catch let error as StepLimitError { throw Self.limitError(recipe, needed: fixed + error.needed) }
    try checkMemory()
  }

  /// Refuses what a recipe can say but this version cannot do; nothing is ignored silently.
  private static func checkSupported(_ recipe: Recipe, _ ranks: Ranks) throws {
    _ = try recipe.mesh(ranks: ranks.count)
    if !recipe.isSpread { try recipe.requireSamples(forRanks: ranks.count) }
  }

  /// Trained elements.
  public var parameterCount: Int { state.parameterCount }

  /// Floating-point operations of one step, by the graph's count.
  public var flopsPerStep: Int { program.flops }

  /// Samples of one step.
  public var samplesPerStep: Int { recipe.data.batch * recipe.train.accumulate }

  /// The position in the data: how many samples have been taken, over all epochs.
  public var position: Int { step * samplesPerStep }

  /// Passes over the data so far.
  public var epochs: Double { Double(position) / Double(task.training.count) }

  /// The memory plan of the run.
  public var plan: RunPlan { RunPlan(self) }

  private func checkMemory() throws {
    guard let limit = recipe.train.memory else { return }
    let needed = plan.plannedBytes
    guard needed <= limit else { throw Self.limitError(recipe, needed: needed) }
  }

  private static func limitError(_ recipe: Recipe, needed: Int) -> RecipeError {
    let mend =
      recipe.train.recompute == .auto
      ? "allow that much, or use a smaller batch, and train.accumulate to keep the samples of a step"
      : "set train.recompute to auto, which computes again as much as it takes, or use a smaller batch"
    return RecipeError(
      keyPath: "train.memory",
      message:
        "the run needs \(needed) bytes\(recipe.train.recompute == .auto ? " at least" : ""), the limit is "
        + "\(recipe.train.memory ?? 0); \(mend)")
  }

  /// The digest of the weights and statistics, each with its name, in name order. Where they are spread over ranks,
  /// all ranks ask together.
  ///
  /// - Throws: `CommunicationError`.
  public func weightsDigest() throws -> String {
    var hash = SHA256()
    for entry in state.weights.sorted(by: { $0.name < $1.name }) {
      entry.name.utf8CString.withUnsafeBytes { hash.update($0) }
      let whole = try state.parallelism.map { try entry.gathered(in: $0) } ?? entry.buffer
      withExtendedLifetime(whole) { hash.update(whole.bytes) }
    }
    return hash.hexDigest()
  }
}

/// Bytes that a run needs, by purpose; known before the first step.
public struct RunPlan: Sendable, Codable {
  /// Weights and running statistics.
  public let parameterBytes: Int
  /// The optimizer's tensors.
  public let optimizerBytes: Int
  /// Sums of gradients between batches of one step, and what ranks exchange.
  public let accumulationBytes: Int
  /// The step's intermediate values and workspaces.
  public let stepArenaBytes: Int
  /// The evaluation's.
  public let evaluationArenaBytes: Int
  /// Batches prepared ahead, and small inputs and outputs.
  public let batchBytes: Int
  /// The copy of this rank's part of the state that is written in the background.
  public let checkpointBytes: Int
  /// All of these together: what a run takes at its highest.
  public let plannedBytes: Int
  /// The same as measured so far.
  public let measuredBytes: Int
  /// Trained elements.
  public let parameters: Int
  /// Floating-point operations of one step.
  public let flopsPerStep: Int
  /// Parameters, gradients and optimizer tensors together at the highest moment of a step, on this rank; absent where
  /// several programs make a step.
  public let statePeakBytes: Int?
  /// How the run is spread over ranks; absent where it is not, or samples alone are.
  public let strategy: String?

  /// `plannedBytes` by purpose, with the words that people are told.
  public var parts: [(name: String, bytes: Int)] {
    [
      ("weights", parameterBytes), ("optimizer", optimizerBytes), ("gradient sums", accumulationBytes),
      ("step", stepArenaBytes), ("evaluation", evaluationArenaBytes), ("batches", batchBytes),
      ("checkpoint", checkpointBytes),
    ]
  }

  init(_ run: TrainingRun) {
    let state = run.state
    parameterBytes = Self.bytes(state.weights)
    optimizerBytes = Self.bytes(state.slots.flatMap { $0 })
    accumulationBytes = run.program.sumBytes
    stepArenaBytes = run.program.memory.reduce(0) { $0 + $1.arenaBytes }
    evaluationArenaBytes = run.evaluator.memory.arenaBytes
    batchBytes = Self.batchBytes(run.recipe, run.task, run.evaluator, run.ranks, state)
    checkpointBytes = Self.checkpointBytes(run.recipe, state, run.ranks)
    let fixed =
      Self.fixedBytes(run.recipe, state, run.task, run.evaluator, run.ranks) + accumulationBytes
      - evaluationArenaBytes
    plannedBytes = fixed + stepArenaBytes + evaluationArenaBytes
    measuredBytes =
      fixed + run.program.memory.reduce(0) { $0 + $1.measuredArenaBytes }
      + run.evaluator.memory.measuredArenaBytes
    parameters = state.parameterCount
    flopsPerStep = run.flopsPerStep
    statePeakBytes = run.program.stateMemory?.peakBytes
    strategy = state.parallelism?.strategy.description
  }

  /// Everything but the step's own: sums of gradients and intermediate values.
  static func fixedBytes(
    _ recipe: Recipe, _ state: TrainingState, _ task: TrainingTask, _ evaluator: Evaluator, _ ranks: Ranks
  ) -> Int {
    bytes(state.entries) + batchBytes(recipe, task, evaluator, ranks, state) + evaluator.memory.arenaBytes
      + checkpointBytes(recipe, state, ranks)
  }

  private static func checkpointBytes(_ recipe: Recipe, _ state: TrainingState, _ ranks: Ranks) -> Int {
    // The first rank writes a spread state, which has been gathered for it, while training stands still.
    guard recipe.checkpoint.background, state.parallelism == nil else { return 0 }
    return StateShare.copyBytes(state, writer: ranks.rank, of: ranks.count)
  }

  private static func bytes(_ entries: [TrainingState.Entry]) -> Int {
    entries.reduce(0) { $0 + $1.buffer.type.byteCount }
  }

  private static func batchBytes(
    _ recipe: Recipe, _ task: TrainingTask, _ evaluator: Evaluator, _ ranks: Ranks, _ state: TrainingState
  ) -> Int {
    let sample = task.inputType.byteCount + task.targetType.byteCount
    let share =
      state.parallelism?.samples(of: recipe.data.batch) ?? RankShare(of: recipe.data.batch, ranks).range
    return share.count * sample * max(2, recipe.data.prefetch) + evaluator.memory.resultBytes
  }
}
