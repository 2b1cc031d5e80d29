import Dispatch
import Pando
import PandoNN
import PandoOptimizers

/// A step whose result is the same, bit for bit, on any number of ranks and threads.
///
/// The samples of a step fall into parts, always the same ones; each part's gradient is computed by the same program on
/// one thread, with random numbers counted by the part, and the parts are added up in the order of `ReductionTree`.
/// Threads and ranks decide who computes a part, never what is computed. Batch norm sees one part at a time, and the
/// running statistics become the mean of what the parts make of them.
final class ReproducibleStep: StepProgram {
  private let tree: ReductionTree
  private let workers: [PartWorker]
  private let layout: FlatLayout
  private let adder: VectorAdder
  private let exchange: SumExchange?
  private let updateProgram: Program
  private let inputs = StepInputs()
  /// Where the root of the tree lies in the update program's inputs, and how many tensors it has.
  private let rootPlace: Int
  let slices: [StepSlice]

  init(
    _ state: TrainingState, task: TrainingTask, recipe: Recipe, optimizer: any Optimizer, device: Device,
    ranks: Ranks, budget: StepBudget
  ) throws {
    let shards = try recipe.shardsPerBatch()
    let batch = recipe.data.batch / shards
    let tree = ReductionTree(parts: shards * recipe.train.accumulate)
    self.tree = tree
    guard ranks.count <= tree.parts else {
      throw RecipeError(
        keyPath: "parallel.shards",
        message:
          "a reproducible step has \(tree.parts) parts, too few for \(ranks.count) ranks; raise it to a divisor of "
          + "data.batch that is at least \(ranks.count), or use fewer ranks")
    }
    let own = tree.range(of: ranks.rank, among: ranks.count)
    let count = min(device.threads, own.count)
    let pass = try StepTensors(state, task: task, recipe: recipe, batch: batch)
    let layout = FlatLayout((pass.gradients + pass.totals + pass.newStatistics).map(\.type))
    self.layout = layout
    adder = try VectorAdder(count: layout.count, on: device)
    exchange = try ranks.communicator.map {
      try SumExchange(tree, layout: layout, communicator: $0, device: device)
    }

    let share = 1 / Double(tree.parts)
    let sums = layout.types.enumerated().map { Tensor.placeholder("sum-\($0.offset)", $0.element) }
    let gradients = sums.prefix(pass.gradients.count).map { $0 * share }
    let summedCount = pass.gradients.count + pass.totals.count
    let totals = sums[pass.gradients.count..<summedCount].map { $0 * share }
    let rule = UpdateRule(
      state: state, recipe: recipe, optimizer: optimizer, rate: pass.rate, step: pass.step,
      isCounted: pass.counted != nil)
    let result = rule.apply(gradients: gradients, totals: totals)
    let statistics = pass.oldStatistics(state)
    let old = pass.trained + state.slots.flatMap { $0.map(\.placeholder) } + statistics
    let new =
      result.parameters + result.slots
      + zip(sums.dropFirst(summedCount), statistics).map {
        select(result.isFinite, $0 * share, $1)
      }
    let update = try Program(
      new + [result.loss, result.norm] + result.figures, inputs: old + [pass.rate, pass.step] + sums,
      donations: Dictionary(uniqueKeysWithValues: old.indices.map { ($0, $0) }), on: device,
      offload: state.offload(old))
    let ranges = (0..<count).map {
      own.lowerBound + own.count * $0 / count..<own.lowerBound + own.count * ($0 + 1) / count
    }
    let sumBytes = ranges.reduce(exchange?.byteCount ?? 0) {
      $0 + tree.depth(of: $1) * layout.count * MemoryLayout<Float>.size
    }
    let single = device.with(threads: 1)
    workers = try budget.program(
      loss: pass.gradients.count, taken: update.memory.workingBytes + sumBytes, programs: count
    ) { recompute in
      try ranges.map {
        try PartWorker(
          tree, $0, pass: pass, layout: layout, state: state, device: single, recompute: recompute)
      }
    }
    slices = workers.map {
      StepSlice(
        batch: batch, count: $0.parts.count, offset: $0.parts.lowerBound * batch,
        firstPart: $0.parts.lowerBound, stepParts: tree.parts)
    }
    rootPlace = old.count + 2
    let buffers = state.buffers(of: old)
    updateProgram = update
    inputs.watch(pass.figures)
    update.bind(
      buffers + [inputs.learningRate, inputs.step] + layout.types.map { HostBuffer($0) },
      into: buffers + inputs.reported)
  }

  var programs: [Program] { workers.flatMap(\.programs) + [adder.program, updateProgram] }
  var phases: [StepPhase] {
    [
      StepPhase(
        program: workers[0].program, runs: workers.map(\.parts.count).max() ?? 1, copies: workers.count),
      StepPhase(program: updateProgram, runs: 1),
    ]
  }
  var memory: [MemoryReport] { workers.map(\.memory) + [updateProgram.memory] }
  var exchanges: [StepExchange] { exchange?.exchanges ?? [] }
  var sumBytes: Int { workers.reduce(0) { $0 + $1.sumBytes } + (exchange?.byteCount ?? 0) }
  var flops: Int { workers[0].flops * tree.parts + updateProgram.cost.flops }

  func run(_ index: Int, seed: UInt64, rate: Double, feeds: [BatchFeed], timing: StepTiming?) throws
    -> StepReport
  {
    let tell = timing.map { timing in { (program: Program, time: OperationTime) in timing(program, 0, time) }
    }
    inputs.begin(index, rate: rate)
    let firstPart = index * tree.parts
    let jobs = zip(workers, feeds).map {
      PartJob(worker: $0, feed: $1, seed: seed, firstPart: firstPart, isTimed: timing != nil)
    }
    DispatchQueue.concurrentPerform(iterations: jobs.count) { jobs[$0].run() }
    if let timing {
      for (thread, job) in jobs.enumerated() {
        // The only part is done on the thread that runs the step.
        for (program, time) in job.times { timing(program, jobs.count == 1 ? 0 : thread + 1, time) }
      }
    }
    var gathering = ReductionTree.Gathering<HostBuffer>(tree)
    for job in jobs {
      for (node, sum) in try job.result() {
        try gathering.push(node, sum) { left, right in
          try adder.add(right, to: left, telling: tell)
          return left
        }
      }
    }
    var (traffic, root) = (StepTraffic(), gathering.waiting[0].value)
    if let exchange {
      try traffic.count(exchange.communicator) {
        root = try exchange.combine(gathering.waiting.map(\.value))
      }
    }
    for (place, view) in layout.views(of: root).enumerated() { updateProgram.rebind(rootPlace + place, view) }
    try updateProgram.run(telling: tell)
    var report = inputs.report
    report.traffic = traffic
    return report
  }
}

/// The work of one thread in one step. The threads of a step share nothing but the weights, which they only read.
private final class PartJob: @unchecked Sendable {
  private let worker: PartWorker
  private let feed: BatchFeed
  private let seed: UInt64
  private let firstPart: Int
  private let isTimed: Bool
  /// When the worker's operations were at work; read once the job is done.
  private(set) var times: [(Program, OperationTime)] = []
  private var outcome: Result<[(node: ReductionTree.Node, value: HostBuffer)], any Error>?

  init(worker: PartWorker, feed: BatchFeed, seed: UInt64, firstPart: Int, isTimed: Bool) {
    self.worker = worker
    self.feed = feed
    self.seed = seed
    self.firstPart = firstPart
    self.isTimed = isTimed
  }

  func run() {
    let timing = isTimed ? { self.times.append(($0, $1)) } : nil as ((Program, OperationTime) -> Void)?
    outcome = Result { try worker.run(feed, seed: seed, firstPart: firstPart, telling: timing) }
  }

  func result() throws -> [(node: ReductionTree.Node, value: HostBuffer)] {
    guard let outcome else { preconditionFailure("a part was not run") }
    return try outcome.get()
  }
}
