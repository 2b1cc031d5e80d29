import Pando
import PandoOptimizers

extension TrainingRun {
  /// The kind of step that a recipe asks for.
  ///
  /// - Parameter steps: how many the whole run has.
  static func makeStep(
    _ state: TrainingState, _ task: TrainingTask, _ recipe: Recipe, _ optimizer: any Optimizer,
    _ device: Device, _ ranks: Ranks, _ budget: StepBudget, steps: Int
  ) throws -> any StepProgram {
    if let parallelism = state.parallelism {
      if let stage = parallelism.stage {
        return try PipelineStep(
          state, parallelism, stage, task: task, recipe: recipe, optimizer: optimizer, device: device)
      }
      return try SpreadStep(
        state, parallelism, task: task, recipe: recipe, optimizer: optimizer, device: device, budget: budget)
    }
    if recipe.reproducible {
      return try ReproducibleStep(
        state, task: task, recipe: recipe, optimizer: optimizer, device: device, ranks: ranks, budget: budget)
    }
    func alone(_ slice: StepSlice, _ budget: StepBudget) throws -> any StepProgram {
      if slice.count > 1 {
        return try AccumulatedStep(
          state, task: task, recipe: recipe, optimizer: optimizer, device: device, slice: slice,
          budget: budget)
      }
      return try WholeStep(
        state, task: task, recipe: recipe, optimizer: optimizer, device: device, slice: slice, budget: budget)
    }
    // A recipe's way of exchanging counts for one rank too, or its result would depend on how it is started.
    let lone = recipe.parallel.changesTraining ? InProcessCommunicator.group(of: 1)[0] : nil
    guard let communicator = ranks.communicator ?? lone else {
      let count = recipe.train.accumulate
      return try alone(StepSlice(batch: recipe.data.batch, count: count, offset: 0, stepParts: count), budget)
    }
    if recipe.parallel.local != .none {
      return try LocalStep(
        state, recipe: recipe, steps: steps, device: device, ranks: ranks, communicator: communicator,
        budget: budget, makeInner: alone)
    }
    if OverlappedStep.fits(recipe, ranks: ranks) {
      return try OverlappedStep(
        state, task: task, recipe: recipe, optimizer: optimizer, device: device, ranks: ranks,
        communicator: communicator, budget: budget)
    }
    return try DataParallelStep(
      state, task: task, recipe: recipe, optimizer: optimizer, device: device, ranks: ranks,
      communicator: communicator, budget: budget)
  }
}
