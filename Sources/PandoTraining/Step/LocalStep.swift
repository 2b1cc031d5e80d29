import Pando
import PandoNN
import PandoOptimizers

/// A step that each rank does on its own, on its share of every batch, with its own optimizer. After some steps, a
/// round, the ranks take the mean of what each has changed since the round began as the gradient of an outer optimizer,
/// and go on from the weights that gives (DiLoCo, Douillard et al. 2023, arXiv:2311.08105). With an outer learning rate
/// of 1 and no momentum these are the mean of the ranks' weights: local SGD.
///
/// Between rounds the ranks' weights differ, so evaluations, checkpoints and stops wait for the end of one. The inner
/// optimizers' memory stays on its rank.
final class LocalStep: StepProgram {
  private let inner: any StepProgram
  private let interval: Int
  private let lastStep: Int
  private let communicator: any Communicator
  private let state: TrainingState
  private let vector: GradientVector
  private let exchange: any GradientExchange
  private let changeProgram: Program
  private let outerProgram: Program
  /// The weights when the round began.
  private let anchors: [HostBuffer]
  private let weights: [HostBuffer]
  private var hasAnchor = false
  private let velocities: [CarriedTensor]
  let carried: [CarriedTensor]

  /// - Parameters:
  ///   - steps: how many the whole run has; the last one ends a round.
  ///   - makeInner: makes the step of one rank alone.
  init(
    _ state: TrainingState, recipe: Recipe, steps: Int, device: Device, ranks: Ranks,
    communicator: any Communicator, budget: StepBudget,
    makeInner: (StepSlice, StepBudget) throws -> any StepProgram
  ) throws {
    interval = recipe.parallel.local.interval ?? 1
    lastStep = steps - 1
    self.communicator = communicator
    self.state = state
    let share = RankShare(of: recipe.data.batch, ranks)
    let trained = state.trainable.map { state.weights[$0] }
    let statistics = state.parameters.indices.filter { !state.parameters[$0].parameter.isTrainable }
      .map { state.weights[$0] }
    weights = trained.map(\.buffer)
    anchors = trained.map { HostBuffer($0.buffer.type) }
    vector = GradientVector(
      names: trained.map(\.name), types: (trained + statistics).map(\.buffer.type))
    exchange = try recipe.parallel.gradients.makeExchange(vector, communicator, on: device)
    let views = vector.views

    let old = trained.map { Tensor.placeholder("anchor.\($0.name)", $0.buffer.type) }
    let now = (trained + statistics).map(\.placeholder)
    let changes = zip(old, now).map { ($0 - $1) * share.fraction }
    changeProgram = try Program(
      changes + now.dropFirst(trained.count).map { $0 * share.fraction }, inputs: old + now, on: device)
    changeProgram.bind(anchors + (trained + statistics).map(\.buffer), into: views)

    let (rule, rate) = recipe.parallel.local.outerOptimizer
    let sums = vector.layout.types.enumerated().map { Tensor.placeholder("sum-\($0.offset)", $0.element) }
    velocities = trained.flatMap { entry in
      rule.slots(for: entry.buffer.type).map {
        CarriedTensor(name: "outer.\($0.name).\(entry.name)", buffer: HostBuffer($0.type), spread: .same)
      }
    }
    let velocityTensors = velocities.map { Tensor.placeholder($0.name, $0.buffer.type) }
    let each = velocities.count / max(1, trained.count)
    var (new, newVelocities): ([Tensor], [Tensor]) = ([], [])
    for place in trained.indices {
      let update = rule.update(
        parameter: old[place], gradient: sums[place],
        state: Array(velocityTensors[place * each..<(place + 1) * each]), learningRate: Tensor(rate),
        step: Tensor(1), decays: false, guardedBy: nil)
      new.append(update.parameter)
      newVelocities += update.state
    }
    let velocityBuffers = velocities.map(\.buffer)
    outerProgram = try Program(
      newVelocities + new + sums.dropFirst(trained.count).map { $0 * 1 },
      inputs: velocityTensors + old + sums,
      donations: Dictionary(uniqueKeysWithValues: velocities.indices.map { ($0, $0) }), on: device)
    outerProgram.bind(
      velocityBuffers + anchors + views, into: velocityBuffers + (trained + statistics).map(\.buffer))

    carried =
      velocities + exchange.carried
      + state.slots.flatMap { $0 }.map {
        CarriedTensor(name: "inner.\($0.name)", buffer: $0.buffer, spread: .mean)
      }
    var taken = vector.buffer.type.byteCount + exchange.byteCount
    taken += RunPlan.checkpointBytes(recipe, carried, ranks)
    for buffer in anchors + velocityBuffers { taken += buffer.type.byteCount }
    for program in exchange.programs + [changeProgram, outerProgram] { taken += program.memory.arenaBytes }
    let slice = StepSlice(
      batch: share.range.count, count: recipe.train.accumulate,
      offset: share.range.lowerBound * recipe.train.accumulate,
      firstPart: ranks.rank * recipe.train.accumulate, stepParts: ranks.count * recipe.train.accumulate)
    let rest = StepBudget(policy: budget.policy, limit: budget.limit.map { $0 - taken })
    do { inner = try makeInner(slice, rest) } catch let error as StepLimitError {
      throw StepLimitError(needed: error.needed + taken)
    }
  }

  var slices: [StepSlice] { inner.slices }
  var programs: [Program] { inner.programs + exchange.programs + [changeProgram, outerProgram] }
  /// Those of a step that no round ends with.
  var phases: [StepPhase] { inner.phases }
  var memory: [MemoryReport] {
    inner.memory + (exchange.programs + [changeProgram, outerProgram]).map(\.memory)
  }
  var sumBytes: Int {
    (anchors + velocities.map(\.buffer) + [vector.buffer]).reduce(inner.sumBytes + exchange.byteCount) {
      $0 + $1.type.byteCount
    }
  }
  var flops: Int { inner.flops * communicator.size + outerProgram.cost.flops / interval }

  /// A step's share of what a round exchanges.
  var exchanges: [StepExchange] {
    exchange.exchanges.map { exchange in
      var share = exchange
      share.count /= Double(interval)
      return share
    }
  }

  func run(_ index: Int, seed: UInt64, rate: Double, feeds: [BatchFeed], timing: StepTiming?) throws
    -> StepReport
  {
    if !hasAnchor || index.isMultiple(of: interval) {
      for (anchor, weight) in zip(anchors, weights) { anchor.write(from: weight.pointer) }
      hasAnchor = true
    }
    var report = try inner.run(index, seed: seed, rate: rate, feeds: feeds, timing: timing)
    guard report.isFinite, (index + 1).isMultiple(of: interval) || index == lastStep else { return report }
    let timing = timing.map { timing in
      { (program: Program, time: OperationTime) in timing(program, 0, time) }
    }
    try changeProgram.run(telling: timing)
    try report.traffic.count(communicator) { try exchange.sum() }
    try outerProgram.run(telling: timing)
    return report
  }
}

extension Recipe.LocalSteps {
  /// The optimizer that takes the mean of what the ranks have changed for a gradient, and its learning rate.
  fileprivate var outerOptimizer: (rule: SGD, learningRate: Double) {
    switch self {
    case .none, .average: (SGD(), 1)
    case .diloco(let diloco):
      (SGD(momentum: diloco.momentum, nesterov: diloco.momentum > 0), diloco.learningRate)
    }
  }
}
