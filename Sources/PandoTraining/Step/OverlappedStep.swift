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
  let runner: StepRunner
  private let group: MeshGroup
  let slices: [StepSlice]
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
    runner = try StepRunner(
      graph, pass, state, batch: share.range.count, device: device, budget: budget,
      spread: Spread(partsOf: group))
    // Every rank computes gradients of its own samples, and the same update.
    let gradients = try TracedPass(
      own.gradients + own.totals, inputs: own.trained + own.oldStatistics(state) + [own.key, own.x, own.y])
    flops = runner.program.cost.flops + (ranks.count - 1) * gradients.graph.cost.flops
  }

  func run(_ index: Int, seed: UInt64, rate: Double, feeds: [BatchFeed], timing: StepTiming?) throws
    -> StepReport
  {
    try runner.run(
      index, seed: seed, part: slices[0].part(0, of: index), rate: rate, feed: feeds[0], over: group,
      timing: timing)
  }
}
