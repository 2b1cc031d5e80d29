import Pando
import PandoOptimizers

extension TrainingRun {
  /// The kind of step that a recipe asks for.
  static func makeStep(
    _ state: TrainingState, _ task: TrainingTask, _ recipe: Recipe, _ optimizer: any Optimizer,
    _ device: Device, _ ranks: Ranks, _ budget: StepBudget
  ) throws -> any StepProgram {
    if recipe.reproducible {
      return try ReproducibleStep(
        state, task: task, recipe: recipe, optimizer: optimizer, device: device, ranks: ranks, budget: budget)
    }
    if let communicator = ranks.communicator {
      return try DataParallelStep(
        state, task: task, recipe: recipe, optimizer: optimizer, device: device, ranks: ranks,
        communicator: communicator, budget: budget)
    }
    if recipe.train.accumulate > 1 {
      return try AccumulatedStep(
        state, task: task, recipe: recipe, optimizer: optimizer, device: device, budget: budget)
    }
    return try WholeStep(
      state, task: task, recipe: recipe, optimizer: optimizer, device: device, budget: budget)
  }
}
