import Pando
import PandoNN
import PandoOptimizers

/// The end of a step in a pipeline: gradients of tied parameters are added up over the stages that hold them, all stages
/// agree on the loss and the norm of all gradients, and each updates what it holds.
final class StageUpdate {
  private let stage: PipelineStage
  /// Parameters that several stages hold, with those stages' ranks.
  private let tied: [(name: String, sum: HostBuffer, holders: any Communicator)]
  /// The sum of squares of the gradients that this stage counts; `nil` where it counts none.
  private let norm: Program?
  private let update: Program
  private let sums: [HostBuffer]
  private let totals: [HostBuffer]
  private let square = HostBuffer(.scalar(.float32))
  private(set) var waitedSeconds = 0.0

  /// - Parameter sums: the sums of gradients of the trained parameters that this rank holds, by their places among all.
  init(
    _ state: TrainingState, _ parallelism: Parallelism, _ stage: PipelineStage, sums: [Int: HostBuffer],
    totals: Int, recipe: Recipe, optimizer: any Optimizer, inputs: StepInputs, device: Device
  ) throws {
    self.stage = stage
    var communicators: [[Int]: any Communicator] = [:]
    for holders in Set(stage.holders.filter { $0.count > 1 }).sorted(by: { $0.lexicographicallyPrecedes($1) })
    {
      let color = holders.contains(stage.number) ? 0 : nil
      communicators[holders] = try stage.line.split(color: color, key: stage.number)
    }
    tied = state.trainable.compactMap { index in
      guard let sum = sums[index], let holders = communicators[stage.holders[index]] else { return nil }
      return (state.weights[index].name, sum, holders)
    }

    let places = state.trainable.indices.filter { sums[state.trainable[$0]] != nil }
    let indices = places.map { state.trainable[$0] }
    let gradients = indices.map { Tensor.placeholder("gradient-sum-\($0)", state.weights[$0].type) }
    let before = (0..<totals).map { Tensor.placeholder("total-\($0)", .scalar(.float32)) }
    let squared = Tensor.placeholder("square", .scalar(.float32))
    let rate = Tensor.placeholder("learning-rate", .scalar(.float32))
    let step = Tensor.placeholder("step", .scalar(.float32))
    let rule = UpdateRule(state: state, recipe: recipe, optimizer: optimizer, rate: rate, step: step)
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

  var programs: [Program] { [update] + (norm.map { [$0] } ?? []) }
  var sumBytes: Int { sums.reduce(0) { $0 + $1.type.byteCount } }

  /// - Parameter sums: on the last stage the loss of the step, and what it is divided by; zero on others.
  func run(_ sums: [Float], timing: ((Program, OperationTime) -> Void)?) throws {
    try exchange {
      for (total, sum) in zip(totals, sums) {
        total.pointer.storeBytes(of: sum, as: Float.self)
        try stage.line.allReduce(total.mutableBytes, of: .float32, label: "loss")
      }
      for (name, sum, holders) in tied {
        try holders.allReduce(sum.mutableBytes, of: sum.type.dtype, label: "gradient of \(name)")
      }
    }
    square.pointer.storeBytes(of: 0, as: Float.self)
    try norm?.run(telling: timing)
    try exchange { try stage.line.allReduce(square.mutableBytes, of: .float32, label: "gradient norm") }
    try update.run(telling: timing)
  }

  private func exchange(_ body: () throws -> Void) rethrows {
    let start = ContinuousClock.now
    try body()
    waitedSeconds += start.duration(to: .now) / .seconds(1)
  }
}
