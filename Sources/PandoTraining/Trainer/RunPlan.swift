import Pando

/// Bytes that a run needs, by purpose; known before the first step.
public struct RunPlan: Sendable, Codable {
  /// Weights and running statistics.
  public let parameterBytes: Int
  /// The optimizer's tensors, but for those in files.
  public let optimizerBytes: Int
  /// Sums of gradients between batches of one step, and what ranks exchange.
  public let accumulationBytes: Int
  /// The step's intermediate values and workspaces.
  public let stepArenaBytes: Int
  /// The evaluation's.
  public let evaluationArenaBytes: Int
  /// Batches prepared ahead, and small inputs and outputs.
  public let batchBytes: Int
  /// The copy of this rank's part of the state that is written in the background, unless it lies in a file.
  public let checkpointBytes: Int
  /// What is in memory at once of what lies in files, at the most.
  public let offloadWindowBytes: Int
  /// Bytes in files in place of memory; they do not count as planned.
  public let offloadedBytes: Int
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
      ("checkpoint", checkpointBytes), ("window of files", offloadWindowBytes),
    ]
  }

  /// - Parameter ranks: whose plan it is; by default that of the rank which made the run. Ranks whose programs are alike
  ///   may share a run.
  init(_ run: TrainingRun, ranks: Ranks? = nil) {
    let state = run.state
    let ranks = ranks ?? run.ranks
    parameterBytes = Self.bytes(state.weights)
    optimizerBytes = Self.bytes(state.slots.flatMap { $0 })
    accumulationBytes = run.program.sumBytes
    stepArenaBytes = run.program.memory.reduce(0) { $0 + $1.arenaBytes }
    evaluationArenaBytes = run.evaluator.memory.arenaBytes
    batchBytes = Self.batchBytes(run.recipe, run.task, run.evaluator, ranks, state)
    let carried = Self.checkpointBytes(run.recipe, run.program.carried, ranks)
    checkpointBytes = Self.checkpointBytes(run.recipe, state, ranks) + carried
    let fixed =
      Self.fixedBytes(run.recipe, state, run.task, run.evaluator, ranks) + accumulationBytes + carried
      - evaluationArenaBytes
    offloadWindowBytes = run.program.memory.reduce(0) { $0 + $1.windowBytes }
    offloadedBytes =
      state.offloadedBytes + run.program.memory.reduce(0) { $0 + $1.fileBytes }
      + (state.offload.holdsState ? Self.copyBytes(run.recipe, state, rank: ranks.rank, of: ranks.count) : 0)
    plannedBytes = fixed + stepArenaBytes + offloadWindowBytes + evaluationArenaBytes
    measuredBytes =
      fixed + run.program.memory.reduce(0) { $0 + $1.measuredWorkingBytes }
      + run.evaluator.memory.measuredArenaBytes
    parameters = state.parameterCount
    flopsPerStep = run.flopsPerStep
    statePeakBytes = run.program.stateMemory?.peakBytes
    strategy = state.parallelism?.strategy.description
  }

  /// Everything but the step's own: sums of gradients and intermediate values.
  static func fixedBytes(
    _ recipe: Recipe, _ state: TrainingState, _ task: TrainingTask, _ evaluator: Evaluator, _ ranks: Ranks,
    isBudget: Bool = false
  ) -> Int {
    bytes(state.entries) + batchBytes(recipe, task, evaluator, ranks, state) + evaluator.memory.arenaBytes
      + checkpointBytes(recipe, state, ranks, isBudget: isBudget)
  }

  /// - Parameter isBudget: whether it is to be alike on all ranks, which must choose alike what they compute again.
  private static func checkpointBytes(
    _ recipe: Recipe, _ state: TrainingState, _ ranks: Ranks, isBudget: Bool = false
  ) -> Int {
    guard !state.offload.holdsState else { return 0 }
    return isBudget
      ? (0..<ranks.count).reduce(0) { max($0, copyBytes(recipe, state, rank: $1, of: ranks.count)) }
      : copyBytes(recipe, state, rank: ranks.rank, of: ranks.count)
  }

  /// Bytes of the copy that a checkpoint makes of what the ranks remember beside the state, in memory.
  static func checkpointBytes(_ recipe: Recipe, _ carried: [CarriedTensor], _ ranks: Ranks) -> Int {
    recipe.checkpoint.background && !recipe.train.offload.state
      ? StateShare.copyBytes(carried, rank: ranks.rank, of: ranks.count) : 0
  }

  private static func copyBytes(_ recipe: Recipe, _ state: TrainingState, rank: Int, of ranks: Int) -> Int {
    recipe.checkpoint.background ? StateShare.copyBytes(state, rank: rank, of: ranks) : 0
  }

  private static func bytes(_ entries: [TrainingState.Entry]) -> Int {
    entries.reduce(0) { $1.isOffloaded ? $0 : $0 + $1.buffer.type.byteCount }
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
