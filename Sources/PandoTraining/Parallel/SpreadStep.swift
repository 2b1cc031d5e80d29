import Pando
import PandoNN
import PandoOptimizers

/// A step of one batch that is one program spread over a mesh: every rank runs its part, with parts of the samples, of
/// the parameters and of the optimizer's tensors, as a `Strategy` says.
///
/// It computes what `WholeStep` computes on one rank, but for the order of sums.
final class SpreadStep: OneProgramStep {
  let runner: StepRunner
  private let group: MeshGroup
  let slices: [StepSlice]

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
    group = parallelism.group
    runner = try StepRunner(
      graph, pass, state, batch: own.count, device: device, budget: budget, spread: spread)
  }

  func run(_ index: Int, seed: UInt64, rate: Double, feeds: [BatchFeed], timing: StepTiming?) throws
    -> StepReport
  {
    // One key for all ranks: each draws its part of the whole step's random numbers.
    try runner.run(
      index, seed: seed, part: index, rate: rate, feed: feeds[0], over: group, timing: timing)
  }
}

extension TrainingState {
  /// How tensors of the state are spread, by their names.
  func placements(of tensors: [Tensor]) -> [Placement?] {
    var byName: [String: Placement] = [:]
    for entry in entries { byName[entry.placeholder.placeholderName!] = entry.placement }
    return tensors.map { byName[$0.placeholderName!] }
  }
}
