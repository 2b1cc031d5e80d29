import Pando
import PandoNN
import PandoOptimizers

/// A step of one batch: forward pass, gradients and update in one program.
final class WholeStep: StepProgram {
  private let program: Program
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
    let rule = UpdateRule(
      state: state, recipe: recipe, optimizer: optimizer, rate: pass.rate, step: pass.step)
    let result = rule.apply(gradients: pass.gradients, totals: pass.totals)
    let oldStatistics = pass.oldStatistics(state)
    let old = pass.trained + state.slots.flatMap { $0.map(\.placeholder) } + oldStatistics
    let new =
      result.parameters + result.slots
      + zip(pass.newStatistics, oldStatistics).map { select(result.isFinite, $0, $1) }
    input = old.count + 3
    program = try budget.program(loss: new.count) { recompute in
      try Program(
        new + [result.loss, result.norm], inputs: old + [pass.key, pass.rate, pass.step, pass.x, pass.y],
        donations: Dictionary(uniqueKeysWithValues: old.indices.map { ($0, $0) }), on: device,
        recompute: recompute)
    }
    stateMemory = StateMemory(program.compiledGraph, state: state)
    let buffers = state.buffers(of: old)
    program.bind(
      buffers + [
        inputs.key, inputs.learningRate, inputs.step, HostBuffer(pass.x.type), HostBuffer(pass.y.type),
      ],
      into: buffers + [inputs.loss, inputs.norm])
  }

  var programs: [Program] { [program] }
  var phases: [StepPhase] {
    [StepPhase(program: program, runs: 1)]
  }
  var memory: [MemoryReport] { [program.memory] }
  var sumBytes: Int { 0 }
  var flops: Int { program.cost.flops }

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
