import Pando
import PandoNN
import PandoOptimizers

/// A step of one batch that several ranks do together, each on an equal share, as one program: forward pass, gradients,
/// their sums over all ranks, and the update. A gradient's sum begins as soon as the gradient is there, several small
/// ones as one, and goes on while earlier layers' gradients are computed (Li et al. 2020, "PyTorch Distributed",
/// arXiv:2006.15704).
///
/// It computes what `DataParallelStep` computes, which takes the cases that this one does not: shares that differ,
/// several batches in a step, gradients that are sent in a smaller form.
final class OverlappedStep: OneProgramStep {
  let program: Program
  private let inputs = StepInputs()
  private let input: Int
  private let group: MeshGroup
  let slices: [StepSlice]
  let stateMemory: StateMemory?
  let flops: Int

  /// Whether a recipe's step can be done so.
  static func fits(_ recipe: Recipe, ranks: Ranks) -> Bool {
    ranks.count > 1 && recipe.train.accumulate == 1 && recipe.parallel.gradients == .float32
      && recipe.data.batch.isMultiple(of: ranks.count)
  }

  /// - Parameter communicator: reaches all ranks; there are several.
  init(
    _ state: TrainingState, task: TrainingTask, recipe: Recipe, optimizer: any Optimizer, device: Device,
    ranks: Ranks, communicator: any Communicator, budget: StepBudget
  ) throws {
    let share = RankShare(of: recipe.data.batch, ranks)
    slices = [
      StepSlice(
        batch: share.range.count, count: 1, offset: share.range.lowerBound, firstPart: ranks.rank,
        stepParts: ranks.count)
    ]
    let mesh = try Mesh(["data": ranks.count])
    let group = try MeshGroup(mesh, communicator)
    self.group = group
    let own = try StepTensors(
      state, task: task, recipe: recipe, batch: share.range.count, weight: share.fraction)
    let pass = own.summed(
      over: mesh, names: state.trainable.map { state.weights[$0].name }, share: share.fraction)
    let graph = StepGraph(pass, state, recipe: recipe, optimizer: optimizer)
    input = graph.samples
    program = try budget.program(loss: graph.state.count) { recompute in
      try Program(
        graph.outputs, inputs: graph.inputs, donations: graph.donations, on: device, recompute: recompute,
        spread: Spread(partsOf: group))
    }
    // Every rank computes gradients of its own samples, and the same update.
    let gradients = try TracedPass(
      own.gradients + own.totals, inputs: own.trained + own.oldStatistics(state) + [own.key, own.x, own.y])
    flops = program.cost.flops + (ranks.count - 1) * gradients.graph.cost.flops
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
    var traffic = StepTraffic()
    try traffic.count(group) { try program.run(telling: timing) }
    var report = inputs.report
    report.traffic = traffic
    return report
  }
}
