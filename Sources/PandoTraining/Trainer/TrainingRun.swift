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
  /// What layers told of themselves in the last step, by name: `balance_loss`, `dropped_share`.
  public internal(set) var lastFigures: [String: Double] = [:]
  /// The bubble of a pipeline over this session's steps; `nil` where there is no pipeline.
  public internal(set) var bubble: PipelineBubble?
  /// What all steps of this session sent.
  public internal(set) var traffic = TrafficCount()
  /// How long each rank's own work takes; `nil` where there is one rank.
  public internal(set) var rankTimes: RankTimes?
  /// The last evaluation.
  public internal(set) var lastEvaluation: EvaluationResult?
  /// On the first rank of a spread run the checkpoint from which the ranks are about to go on.
  var saved: SavedState?
  /// On the first rank of a spread run all weights, while a report wants to write text with them.
  var wholeWeights: [TrainingState.Entry]?

  /// Builds the model, compiles the programs and draws the first weights.
  ///
  /// - Parameters:
  ///   - ranks: who trains together; every rank builds the same run.
  ///   - scratch: where files lie that memory is offloaded to, unless the recipe says.
  ///   - isPlan: whether it is only looked at: its weights then have no memory, and it cannot be trained.
  /// - Throws: `RecipeError`, `TypeError` (naming the layer) or `EngineError`.
  public convenience init(
    _ recipe: Recipe, task: TrainingTask, device: Device, ranks: Ranks = .single, scratch: URL? = nil,
    isPlan: Bool = false
  ) throws {
    do {
      try self.init(
        within: recipe, task: task, device: device, ranks: ranks, scratch: scratch, isPlan: isPlan)
    } catch let error as MemoryLimitError {
      throw error.advice(recipe, task: task, device: device, ranks: ranks)
    } catch let error as OffloadError {
      throw RecipeError(keyPath: "train.offload.folder", message: error.description)
    }
  }

  /// - Throws: also `OffloadError`, and `MemoryLimitError` where it needs more than `train.memory`.
  init(
    within recipe: Recipe, task: TrainingTask, device: Device, ranks: Ranks, scratch: URL?, isPlan: Bool
  ) throws {
    self.recipe = recipe
    self.ranks = ranks
    self.task = task
    self.device = device
    try Self.checkSupported(recipe, ranks, device)
    let optimizer = recipe.train.optimizer.makeOptimizer()
    optimizerName = optimizer.name
    let layer = try recipe.model.makeLayer(inputType: task.inputType, classes: task.classes)
    state = try TrainingState(
      layer, optimizer: optimizer, seed: UInt64(recipe.seed), threads: device.threads, isPlan: isPlan,
      offload: StateOffload(recipe.train.offload, scratch: scratch, isPlan: isPlan)
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
    let fixed = RunPlan.fixedBytes(recipe, state, task, evaluator, ranks, isBudget: true)
    let budget = StepBudget(policy: recipe.train.recompute, limit: recipe.train.memory.map { $0 - fixed })
    do {
      program = try Self.makeStep(
        state, task, recipe, optimizer, device, ranks, budget, steps: totalSteps)
    } catch let error as StepLimitError { throw MemoryLimitError(needed: fixed + error.needed) }
    bubble = state.parallelism?.stage.map { PipelineBubble(formula: $0.order.bubble) }
    let needed = plan.plannedBytes
    guard needed <= recipe.train.memory ?? .max else { throw MemoryLimitError(needed: needed) }
  }

  /// Refuses what a recipe can say but this version cannot do; nothing is ignored silently.
  private static func checkSupported(_ recipe: Recipe, _ ranks: Ranks, _ device: Device) throws {
    guard recipe.train.offload.isEmpty || device.name == "cpu" else {
      throw RecipeError(
        keyPath: "train.offload",
        message: "the device \(device.name) offloads nothing; use --device cpu, or remove the key")
    }
    _ = try recipe.mesh(ranks: ranks.count)
    guard !recipe.parallel.isAutomatic || ranks.count == 1 else {
      throw RecipeError(
        keyPath: "parallel",
        message: "auto is found before a run is made, by StrategyTable; give it the recipe that comes out")
    }
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
