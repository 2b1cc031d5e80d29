import Pando
import PandoNN
import PandoOptimizers

/// A step of several batches: one program adds the gradients of a batch to sums, another turns the sums into an update.
final class AccumulatedStep: StepProgram {
  private let count: Int
  private let gradientProgram: Program
  private let updateProgram: Program
  private let inputs = StepInputs()
  private let input: Int
  private let sums: [HostBuffer]
  private let totals: [HostBuffer]
  let slices: [StepSlice]

  init(
    _ state: TrainingState, task: TrainingTask, recipe: Recipe, optimizer: any Optimizer, device: Device,
    slice: StepSlice, budget: StepBudget
  ) throws {
    count = slice.count
    slices = [slice]
    let pass = try StepTensors(state, task: task, recipe: recipe, batch: slice.batch)
    let sumTensors = pass.trained.map { Tensor.placeholder("gradient-sum", $0.type) }
    let totalsBefore = pass.totals.indices.map { Tensor.placeholder("total-\($0)", .scalar(.float32)) }
    let share = 1 / Double(count)
    sums = sumTensors.map { HostBuffer($0.type) }
    totals = totalsBefore.map { HostBuffer($0.type) }
    let rule = UpdateRule(
      state: state, recipe: recipe, optimizer: optimizer, rate: pass.rate, step: pass.step,
      isCounted: pass.counted != nil)
    let result = rule.apply(gradients: sumTensors, totals: totalsBefore)
    let old = pass.trained + state.slots.flatMap { $0.map(\.placeholder) }
    let buffers = state.buffers(of: old)
    // The sums go back to zero in the same sweep.
    let cleared = (sumTensors + totalsBefore).map { Tensor.zeros($0.shape) }
    let update = try Program(
      result.parameters + result.slots + cleared + [result.loss * 1, result.norm]
        + result.figures.map { $0 * 1 },
      inputs: old + sumTensors + totalsBefore + [pass.rate, pass.step],
      donations: Dictionary(
        uniqueKeysWithValues: (0..<old.count + sums.count + totals.count).map { ($0, $0) }),
      on: device, offload: state.offload(old))
    updateProgram = update
    inputs.watch(pass.figures)
    update.bind(
      buffers + sums + totals + [inputs.learningRate, inputs.step],
      into: buffers + sums + totals + inputs.reported)

    let statistics = pass.oldStatistics(state)
    let carried = sumTensors + totalsBefore + statistics
    let added =
      zip(sumTensors + totalsBefore, pass.gradients + pass.totals).map { $0 + $1 * share }
      + pass.newStatistics
    input = carried.count + pass.trained.count + 1
    let taken = sums.reduce(update.memory.workingBytes) { $0 + $1.type.byteCount }
    gradientProgram = try budget.program(loss: sums.count, taken: taken) { recompute in
      try Program(
        added, inputs: carried + pass.trained + [pass.key, pass.x, pass.y],
        donations: Dictionary(uniqueKeysWithValues: carried.indices.map { ($0, $0) }), on: device,
        recompute: recompute, offload: state.offload([], hasGradients: true))
    }
    let carriedBuffers = sums + totals + state.buffers(of: statistics)
    gradientProgram.bind(
      carriedBuffers + state.buffers(of: pass.trained)
        + [inputs.key, HostBuffer(pass.x.type), HostBuffer(pass.y.type)], into: carriedBuffers)
  }

  var programs: [Program] { [gradientProgram, updateProgram] }
  var phases: [StepPhase] {
    [
      StepPhase(program: gradientProgram, runs: count), StepPhase(program: updateProgram, runs: 1),
    ]
  }
  var memory: [MemoryReport] { [gradientProgram.memory, updateProgram.memory] }
  var sumBytes: Int { sums.reduce(0) { $0 + $1.type.byteCount } }
  var flops: Int { gradientProgram.cost.flops * count + updateProgram.cost.flops }

  func run(_ index: Int, seed: UInt64, rate: Double, feeds: [BatchFeed], timing: StepTiming?) throws
    -> StepReport
  {
    let timing = timing.map { timing in
      { (program: Program, time: OperationTime) in timing(program, 0, time) }
    }
    inputs.begin(index, rate: rate)
    for part in 0..<count {
      StepInputs.set(inputs.key, seed: seed, part: slices[0].part(part, of: index))
      let (x, y) = try feeds[0].next()
      gradientProgram.rebind(input, x)
      gradientProgram.rebind(input + 1, y)
      try gradientProgram.run(telling: timing)
    }
    try updateProgram.run(telling: timing)
    return inputs.report
  }
}
