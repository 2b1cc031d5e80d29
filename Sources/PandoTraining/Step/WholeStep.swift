import Pando
import PandoNN
import PandoOptimizers

/// A step of one batch: forward pass, gradients and update in one program.
final class WholeStep: OneProgramStep {
  let runner: StepRunner
  let slices: [StepSlice]

  init(
    _ state: TrainingState, task: TrainingTask, recipe: Recipe, optimizer: any Optimizer, device: Device,
    slice: StepSlice, budget: StepBudget
  ) throws {
    slices = [slice]
    let pass = try StepTensors(state, task: task, recipe: recipe, batch: slice.batch)
    let graph = StepGraph(pass, state, recipe: recipe, optimizer: optimizer)
    runner = try StepRunner(graph, pass, state, batch: slice.batch, device: device, budget: budget)
  }

  func run(_ index: Int, seed: UInt64, rate: Double, feeds: [BatchFeed], timing: StepTiming?) throws
    -> StepReport
  {
    try runner.run(
      index, seed: seed, part: slices[0].part(0, of: index), rate: rate, feed: feeds[0], timing: timing)
  }
}
