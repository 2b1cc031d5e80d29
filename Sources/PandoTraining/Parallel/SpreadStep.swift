import Pando
import PandoNN
import PandoOptimizers

/// A step of one batch that is one program spread over a mesh: every rank runs its part, with parts of the samples, of
/// the parameters and of the optimizer's tensors, as a `Strategy` says.
///
/// It computes what `WholeStep` computes on one rank, but for the order of sums.
final class SpreadStep: OneProgramStep {
  let program: Program
  private let inputs = StepInputs()
  private let input: Int
  private let group: MeshGroup
  let slices: [StepSlice]
  /// What this rank holds of parameters, gradients and optimizer tensors at the highest.
  let stateMemory: StateMemory?

  init(
    _ state: TrainingState, _ parallelism: Parallelism, task: TrainingTask, recipe: Recipe,
    optimizer: any Optimizer, device: Device, budget: StepBudget
  ) throws {
    let own = parallelism.samples(of: recipe.data.batch)
    slices = [StepSlice(batch: own.count, count: 1, offset: own.lowerBound)]
    let pass = try StepTensors(state, task: task, recipe: recipe, batch: recipe.data.batch)
    let graph = StepGraph(pass, state, recipe: recipe, optimizer: optimizer)
    let placements = state.placements(of: graph.state)
    let samples = [pass.x, pass.y].map { parallelism.strategy.samples(rank: $0.rank) as Placement? }
    let spread = Spread(
      parallelism.group, inputs: placements + [nil, nil, nil] + samples, outputs: placements,
      names: parallelism.strategy.activationAxes)
    input = graph.samples
    program = try budget.program(loss: graph.state.count) { recompute in
      try Program(
        graph.outputs, inputs: graph.inputs, donations: graph.donations, on: device, recompute: recompute,
        spread: spread, offload: state.offload(graph.inputs, hasGradients: true))
    }
    group = parallelism.group
    stateMemory = StateMemory(program.compiledGraph, state: state)
    inputs.watch(pass.figures)
    let buffers = state.buffers(of: graph.state)
    program.bind(
      buffers + [
        inputs.key, inputs.learningRate, inputs.step,
        HostBuffer(pass.x.type.withSamples(own.count)), HostBuffer(pass.y.type.withSamples(own.count)),
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
    // One key for all ranks: each draws its part of the whole step's random numbers.
    StepInputs.set(inputs.key, seed: seed, part: index)
    let (x, y) = try feeds[0].next()
    program.rebind(input, x)
    program.rebind(input + 1, y)
    var traffic = StepTraffic()
    try traffic.count(group) { try program.run(telling: timing) }
    var report = inputs.report
    report.traffic = traffic
    return report
  }
}

extension TensorType {
  /// The type of a batch of another number of samples.
  func withSamples(_ count: Int) -> TensorType { with(shape: [count] + shape.dropFirst()) }
}

extension TrainingState {
  /// How tensors of the state are spread, by their names.
  func placements(of tensors: [Tensor]) -> [Placement?] {
    var byName: [String: Placement] = [:]
    for entry in entries { byName[entry.placeholder.placeholderName!] = entry.placement }
    return tensors.map { byName[$0.placeholderName!] }
  }
}
