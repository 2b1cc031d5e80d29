import Pando
import PandoNN
import PandoOptimizers

/// A step of one batch: forward pass, gradients and update in one program.
final class WholeStep: OneProgramStep {
  let program: Program
  private let inputs = StepInputs()
  private let input: Int
  let stateMemory: StateMemory?
  let slices: [StepSlice]

  init(
    _ state: TrainingState, task: TrainingTask, recipe: Recipe, optimizer: any Optimizer, device: Device,
    slice: StepSlice, budget: StepBudget
  ) throws {
    slices = [slice]
    let pass = try StepTensors(state, task: task, recipe: recipe, batch: slice.batch)
    let graph = StepGraph(pass, state, recipe: recipe, optimizer: optimizer)
    input = graph.samples
    program = try budget.program(loss: graph.state.count) { recompute in
      try Program(
        graph.outputs, inputs: graph.inputs, donations: graph.donations, on: device, recompute: recompute,
        offload: state.offload(graph.inputs, hasGradients: true))
    }
    stateMemory = StateMemory(program.compiledGraph, state: state)
    inputs.watch(pass.figures)
    let buffers = state.buffers(of: graph.state)
    program.bind(
      buffers + [
        inputs.key, inputs.learningRate, inputs.step, HostBuffer(pass.x.type), HostBuffer(pass.y.type),
      ],
      into: buffers + inputs.reported)
  }

  func run(_ index: Int, seed: UInt64, rate: Double, feeds: [BatchFeed], timing: StepTiming?) throws
    -> StepReport
  {
    let timing = timing.map { timing in
      { (program: Program, time: OperationTime) in timing(program, 0, time) }
    }
    inputs.begin(index, rate: rate)
    StepInputs.set(inputs.key, seed: seed, part: slices[0].part(0, of: index))
    let (x, y) = try feeds[0].next()
    program.rebind(input, x)
    program.rebind(input + 1, y)
    try program.run(telling: timing)
    return inputs.report
  }
}
