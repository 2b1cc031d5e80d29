import Pando
import PandoNN
import PandoOptimizers

/// The end of a step in a pipeline: the ranks of a stage add up their terms of gradients, gradients of tied parameters are
/// added up over the stages that hold them, all stages agree on the loss and the norm of all gradients, and each updates
/// what it holds.
final class StageUpdate {
  private let stage: PipelineStage
  /// Parameters that several stages hold, with those stages' ranks.
  private let tied: [(name: String, sum: HostBuffer, holders: any Communicator)]
  /// Adds up the terms that ranks of this stage hold of gradients; `nil` where they hold none.
  private let settle: Program?
  /// The sum of squares of the gradients that this stage counts; `nil` where it counts none.
  private let norm: Program?
  private let update: Program
  private let sums: [HostBuffer]
  private let totals: [HostBuffer]
  /// The sum of squares, and behind it how long this stage stood still and how long it worked: what all stages add up.
  private let figures = HostBuffer(TensorType([3]))
  /// When this rank waited for other stages in the step that was run last.
  private(set) var waits: [StageWait] = []

  /// - Parameters:
  ///   - sums: the sums of gradients of the trained parameters that this rank holds, by their places among all.
  ///   - placements: how those sums are spread when the last micro-batch has been added.
  init(
    _ state: TrainingState, _ parallelism: Parallelism, _ stage: PipelineStage, sums: [Int: HostBuffer],
    sumPlacements placements: [Int: Placement], totals: Int, recipe: Recipe, optimizer: any Optimizer,
    inputs: StepInputs, device: Device
  ) throws {
    self.stage = stage
    var communicators: [[Int]: any Communicator] = [:]
    for holders in Set(stage.holders.filter { $0.count > 1 }).sorted(by: { $0.lexicographicallyPrecedes($1) })
    {
      let members = holders.contains(stage.number) ? holders : []
      communicators[holders] = try stage.line.split(members: members)
    }
    tied = state.trainable.compactMap { index in
      guard let sum = sums[index], let holders = communicators[stage.holders[index]] else { return nil }
      return (state.weights[index].name, sum, holders)
    }

    let open = sums.keys.sorted().filter { placements[$0]?.sharding.partial.isEmpty == false }
    settle = try Self.settlement(
      open.map { (state.weights[$0], placements[$0]!, sums[$0]!) }, parallelism, device: device)

    let places = state.trainable.indices.filter { sums[state.trainable[$0]] != nil }
    let indices = places.map { state.trainable[$0] }
    let gradients = indices.map { Tensor.placeholder("gradient-sum-\($0)", state.weights[$0].type) }
    let before = (0..<totals).map { Tensor.placeholder("total-\($0)", .scalar(.float32)) }
    let squared = Tensor.placeholder("square", .scalar(.float32))
    let rate = Tensor.placeholder("learning-rate", .scalar(.float32))
    let step = Tensor.placeholder("step", .scalar(.float32))
    let rule = UpdateRule(
      state: state, recipe: recipe, optimizer: optimizer, rate: rate, step: step,
      isCounted: totals > 1)
    let settled = rule.settled(gradients, totals: before)
    let sumPlacements = indices.map { state.weights[$0].placement }
    self.sums = indices.map { sums[$0]! }
    self.totals = before.map { HostBuffer($0.type) }

    // A tied parameter counts once.
    let counted = indices.indices.filter { stage.holders[indices[$0]][0] == stage.number }
    norm =
      counted.isEmpty
      ? nil
      : try Program(
        [counted.map { settled.gradients[$0].cast(.float32).sumOfSquares() }.reduce(Tensor(0), +)],
        inputs: gradients + before, on: device, spread: parallelism.spread(sumPlacements))
    let square = HostBuffer(.scalar(.float32), borrowing: figures.pointer)
    norm?.bind(self.sums + self.totals, into: [square])

    let result = rule.update(
      settled.gradients, at: Array(places), loss: settled.loss, norm: sqrt(squared))
    let old =
      indices.map { state.weights[$0].placeholder } + places.flatMap { state.slots[$0].map(\.placeholder) }
    let placements = state.placements(of: old)
    let changed = old.count + gradients.count
    update = try Program(
      result.parameters + result.slots + gradients.map { .zeros($0.shape, dtype: $0.dtype) }
        + [result.loss * 1, result.norm],
      inputs: old + gradients + before + [squared, rate, step],
      donations: Dictionary(uniqueKeysWithValues: (0..<changed).map { ($0, $0) }), on: device,
      spread: parallelism.spread(placements + sumPlacements, placements + sumPlacements),
      offload: state.offload(old))
    let buffers = state.buffers(of: old)
    update.bind(
      buffers + self.sums + self.totals + [square, inputs.learningRate, inputs.step],
      into: buffers + self.sums + [inputs.loss, inputs.norm])
  }

  /// The program that adds up terms, each in its place.
  private static func settlement(
    _ open: [(entry: TrainingState.Entry, placement: Placement, sum: HostBuffer)],
    _ parallelism: Parallelism, device: Device
  ) throws -> Program? {
    guard !open.isEmpty else { return nil }
    let terms = open.map { Tensor.placeholder("gradient of \($0.entry.name)", $0.entry.type) }
    let program = try Program(
      terms, inputs: terms, donations: Dictionary(uniqueKeysWithValues: terms.indices.map { ($0, $0) }),
      on: device,
      spread: parallelism.spread(open.map(\.placement), open.map { $0.entry.placement }))
    program.bind(open.map(\.sum), into: open.map(\.sum))
    return program
  }

  /// What `run` exchanges between stages: losses, tied gradients, the norm.
  var exchanges: [StepExchange] {
    let small = StepExchange(
      .allReduce, axes: [PipelineStage.axis], ranks: stage.line.size, bytes: 4,
      count: Double(totals.count + 1))
    return [small]
      + tied.map {
        StepExchange(
          .allReduce, axes: [PipelineStage.axis], ranks: $0.holders.size, bytes: $0.sum.type.byteCount)
      }
  }

  var programs: [Program] { [update] + [norm, settle].compactMap { $0 } }
  var sumBytes: Int { sums.reduce(0) { $0 + $1.type.byteCount } }

  /// - Parameters:
  ///   - sums: on the last stage the loss of the step, and what it is divided by; zero on others.
  ///   - times: how long this rank stood still among its passes, and how long they worked.
  /// - Returns: the same of all stages together, with the wait for the last of them.
  func run(
    _ sums: [Float], _ times: BubbleTimes, timing: ((Program, OperationTime) -> Void)?
  ) throws -> BubbleTimes {
    waits = []
    try exchange("the other stages") {
      for (total, sum) in zip(totals, sums) {
        total.pointer.storeBytes(of: sum, as: Float.self)
        try stage.line.allReduce(total.mutableBytes, of: .float32, label: "loss")
      }
    }
    let figures = figures.pointer.assumingMemoryBound(to: Float.self)
    figures[0] = 0
    figures[1] = Float(times.idleSeconds + waits[0].seconds)
    figures[2] = Float(times.busySeconds)
    try settle?.run(telling: timing)
    if !tied.isEmpty {
      try exchange("tied gradients") {
        for (name, sum, holders) in tied {
          try holders.allReduce(sum.mutableBytes, of: sum.type.dtype, label: "gradient of \(name)")
        }
      }
    }
    try norm?.run(telling: timing)
    try exchange("the gradients' norm") {
      try stage.line.allReduce(self.figures.mutableBytes, of: .float32, label: "gradient norm")
    }
    try update.run(telling: timing)
    return BubbleTimes(idleSeconds: Double(figures[1]), busySeconds: Double(figures[2]))
  }

  private func exchange(_ what: String, _ body: () throws -> Void) rethrows {
    let start = ContinuousClock.now
    try body()
    waits.append(StageWait(label: what, time: start...(.now)))
  }
}
