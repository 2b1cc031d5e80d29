import Foundation
import Pando
import PandoNN
import PandoOptimizers

/// A step that several ranks do together, each on its share of every batch: one program computes the gradient of the
/// rank's share, weighted by how large that is, the ranks add their gradients up, and another program turns the sum
/// into an update of the rank's own replica of the network.
///
/// All ranks make the same update of the same sum, so their weights stay the same, bit for bit. Batch norm sees a rank's
/// share of one batch, and the running statistics become the mean of what the ranks make of them.
final class DataParallelStep: StepProgram {
  private let count: Int
  private let communicator: any Communicator
  private let exchange: any GradientExchange
  private let gradientProgram: Program
  private let updateProgram: Program
  private let inputs = StepInputs()
  private let input: Int
  /// The gradients of all parameters, the loss with what it is divided by, and the statistics.
  private let vector: GradientVector
  private let statistics: StatisticsShare
  let slices: [StepSlice]

  /// - Parameter communicator: reaches all ranks; there are several.
  init(
    _ state: TrainingState, task: TrainingTask, recipe: Recipe, optimizer: any Optimizer, device: Device,
    ranks: Ranks, communicator: any Communicator, budget: StepBudget
  ) throws {
    count = recipe.train.accumulate
    self.communicator = communicator
    let share = RankShare(of: recipe.data.batch, ranks)
    slices = [
      StepSlice(
        batch: share.range.count, count: count, offset: share.range.lowerBound * count,
        firstPart: ranks.rank * count, stepParts: ranks.count * count)
    ]
    let pass = try StepTensors(
      state, task: task, recipe: recipe, batch: share.range.count, weight: share.fraction / Double(count))
    vector = GradientVector(
      names: state.trainable.map { state.weights[$0].name },
      types: (pass.gradients + pass.totals + pass.newStatistics).map(\.type))
    let views = vector.views
    let gradientCount = pass.gradients.count
    let summedCount = gradientCount + pass.totals.count
    exchange = try recipe.parallel.gradients.makeExchange(vector, communicator, on: device)
    let statisticPlaceholders = pass.oldStatistics(state)
    statistics = StatisticsShare(
      state.buffers(of: statisticPlaceholders), weight: share.fraction,
      target: Array(views.dropFirst(summedCount)))

    let sums = vector.layout.types.enumerated().map { Tensor.placeholder("sum-\($0.offset)", $0.element) }
    let rule = UpdateRule(
      state: state, recipe: recipe, optimizer: optimizer, rate: pass.rate, step: pass.step,
      isCounted: pass.counted != nil)
    let result = rule.apply(
      gradients: Array(sums.prefix(gradientCount)), totals: Array(sums[gradientCount..<summedCount]))
    let old = pass.trained + state.slots.flatMap { $0.map(\.placeholder) } + statisticPlaceholders
    let new =
      result.parameters + result.slots
      + zip(sums.dropFirst(summedCount), statisticPlaceholders).map { select(result.isFinite, $0, $1) }
    updateProgram = try Program(
      new + [result.loss * 1, result.norm] + result.figures.map { $0 * 1 },
      inputs: old + [pass.rate, pass.step] + sums,
      donations: Dictionary(uniqueKeysWithValues: old.indices.map { ($0, $0) }), on: device,
      offload: state.offload(old))
    inputs.watch(pass.figures)
    let buffers = state.buffers(of: old)
    updateProgram.bind(
      buffers + [inputs.learningRate, inputs.step] + views, into: buffers + inputs.reported)

    // Sums of several batches are made in the vector itself.
    let accumulated = count > 1 ? Array(sums.prefix(summedCount)) : []
    let found = pass.gradients + pass.totals
    let carried = accumulated + statisticPlaceholders
    let outputs = (count > 1 ? zip(accumulated, found).map { $0 + $1 } : found) + pass.newStatistics
    // The place among the outputs of each input that is written over.
    let first = outputs.count - carried.count
    let copied = RunPlan.checkpointBytes(recipe, exchange.carried, ranks)
    let taken = (exchange.programs + [updateProgram]).reduce(
      vector.buffer.type.byteCount + exchange.byteCount + statistics.byteCount + copied
    ) { $0 + $1.memory.workingBytes }
    gradientProgram = try budget.program(loss: gradientCount, taken: taken) { recompute in
      try Program(
        outputs, inputs: carried + pass.trained + [pass.key, pass.x, pass.y],
        donations: Dictionary(uniqueKeysWithValues: carried.indices.map { ($0, first + $0) }), on: device,
        recompute: recompute, offload: state.offload([], hasGradients: true))
    }
    input = carried.count + pass.trained.count + 1
    let vectorViews = Array(views.prefix(summedCount))
    gradientProgram.bind(
      (count > 1 ? vectorViews : []) + statistics.carried + state.buffers(of: pass.trained)
        + [inputs.key, HostBuffer(pass.x.type), HostBuffer(pass.y.type)],
      into: vectorViews + statistics.carried)
  }

  var programs: [Program] { [gradientProgram] + exchange.programs + [updateProgram] }
  var phases: [StepPhase] {
    [StepPhase(program: gradientProgram, runs: count)]
      + (exchange.programs + [updateProgram]).map { StepPhase(program: $0, runs: 1) }
  }
  var memory: [MemoryReport] { programs.map(\.memory) }
  var carried: [CarriedTensor] { exchange.carried }
  var exchanges: [StepExchange] { exchange.exchanges }
  var sumBytes: Int { vector.buffer.type.byteCount + exchange.byteCount + statistics.byteCount }
  var flops: Int {
    // The ranks' shares may differ by a sample; together they do what one rank of the mean share would.
    gradientProgram.cost.flops * count * communicator.size + updateProgram.cost.flops
  }

  func run(_ index: Int, seed: UInt64, rate: Double, feeds: [BatchFeed], timing: StepTiming?) throws
    -> StepReport
  {
    let timing = timing.map { timing in
      { (program: Program, time: OperationTime) in timing(program, 0, time) }
    }
    inputs.begin(index, rate: rate)
    statistics.begin()
    if count > 1 { memset(vector.buffer.pointer, 0, vector.buffer.type.byteCount) }
    for number in 0..<count {
      StepInputs.set(inputs.key, seed: seed, part: slices[0].part(number, of: index))
      let (x, y) = try feeds[0].next()
      gradientProgram.rebind(input, x)
      gradientProgram.rebind(input + 1, y)
      try gradientProgram.run(telling: timing)
    }
    statistics.finish()
    var traffic = StepTraffic()
    try traffic.count(communicator) { try exchange.sum() }
    try updateProgram.run(telling: timing)
    var report = inputs.report
    report.traffic = traffic
    return report
  }
}

/// The running statistics of a rank in one step: they go from batch to batch apart from the state, which keeps its own
/// until the update, and at the end each rank adds its share of the mean.
private struct StatisticsShare {
  private let state: [HostBuffer]
  private let target: [HostBuffer]
  private let weight: Float
  /// What the rank's batches have made of them.
  let carried: [HostBuffer]

  init(_ state: [HostBuffer], weight: Double, target: [HostBuffer]) {
    self.state = state
    self.weight = Float(weight)
    self.target = target
    carried = state.map { HostBuffer($0.type) }
  }

  var byteCount: Int { carried.reduce(0) { $0 + $1.type.byteCount } }

  func begin() {
    for (own, old) in zip(carried, state) { own.write(from: old.pointer) }
  }

  func finish() {
    for (own, share) in zip(carried, target) {
      let source = own.pointer.assumingMemoryBound(to: Float.self)
      let sum = share.pointer.assumingMemoryBound(to: Float.self)
      for element in 0..<own.type.count { sum[element] = source[element] * weight }
    }
  }
}
