import Pando

/// One group of layers of this rank's stage: its programs, and the memory of the micro-batches that are under way.
final class PipelineChunk {
  /// What a micro-batch that is under way keeps.
  private final class Slot {
    let arriving: [HostBuffer]
    /// What leaves, and what the backward pass reads again.
    let outputs: [HostBuffer]
    let gradients: [HostBuffer]
    let answers: [HostBuffer]
    var sends: [any CommunicationRequest] = []

    init(
      _ arriving: [HostBuffer], _ outputs: [HostBuffer], _ gradients: [HostBuffer], _ answers: [HostBuffer]
    ) {
      (self.arriving, self.outputs, self.gradients, self.answers) = (arriving, outputs, gradients, answers)
    }

    var byteCount: Int {
      (arriving + outputs + gradients + answers).reduce(0) { $0 + $1.type.byteCount }
    }
  }

  /// The group's number in the network.
  let number: Int
  let forward: Program
  let backward: Program
  private let passes: PartPasses
  private let part: PipelinePart
  private let stage: PipelineStage
  private let whole: WholePass
  /// For each input of the part its buffer; `nil` for what each micro-batch brings.
  private let fixed: [HostBuffer?]
  /// For each output of the whole that is made here its buffer.
  private let results: [HostBuffer]
  private let sums: [HostBuffer]
  private let share: HostBuffer
  private var free: [Slot] = []
  private var underWay: [Int: Slot] = [:]
  /// Seconds in which nothing was done but wait for another stage.
  private(set) var waitedSeconds = 0.0

  /// - Parameters:
  ///   - sums: the sum of the gradients of each trained parameter that this rank holds.
  ///   - totals: where the loss of a micro-batch goes, and what it is divided by.
  ///   - share: what a micro-batch counts in a step.
  init(
    _ number: Int, _ part: PipelinePart, _ passes: PartPasses, _ whole: WholePass, _ state: TrainingState,
    _ parallelism: Parallelism, _ stage: PipelineStage, sums: [Int: HostBuffer], totals: [HostBuffer],
    share: HostBuffer, key: HostBuffer, device: Device
  ) throws {
    (self.number, self.part, self.passes, self.stage, self.whole) = (number, part, passes, stage, whole)
    self.share = share
    let placed = StagePlacement(parallelism)
    let inputs = part.inputs.map { place -> Placement? in
      if place < state.weights.count { return state.weights[place].placement }
      let isBatch = place == whole.batch || place == whole.target
      return isBatch ? placed.samples(whole.graph.inputs[place].value.type) : nil
    }
    let arriving = part.arriving.map(placed.samples)
    let leaving = part.leaving.map(placed.samples)
    let own = part.outputs.map { place -> TrainingState.Entry? in
      place < whole.totals ? nil : state.weights[whole.statistics[place - whole.totals]]
    }
    // What is kept stays cut as the forward pass makes it.
    let homes = try placed.homes(of: passes.forward, inputs: inputs + arriving)
    let firstKept = leaving.count + own.count
    let outputs = leaving + own.map { $0?.placement } + homes[firstKept...].map { $0 as Placement? }

    let firstConstant = whole.graph.inputs.count - whole.constants.count
    fixed = part.inputs.map { place in
      if place < state.weights.count { return state.weights[place].buffer }
      if place == whole.key { return key }
      return place >= firstConstant ? whole.constants[place - firstConstant] : nil
    }
    results = zip(part.outputs, own).map { $1?.buffer ?? totals[$0] }
    var statistics: [Int: Int] = [:]
    for (place, output) in part.outputs.enumerated() where output >= whole.totals {
      let statistic = whole.statistics[output - whole.totals]
      if let input = part.inputs.firstIndex(of: statistic) { statistics[input] = leaving.count + place }
    }
    forward = try Program(
      passes.forward, donations: statistics, on: device,
      spread: parallelism.spread(inputs + arriving, outputs))

    let parameters = passes.parameters.map { part.inputs[$0] }
    self.sums = parameters.map { sums[$0]! }
    let sumPlacements = parameters.map { state.weights[$0].placement }
    let gradients = passes.gradients.map { leaving[$0] }
    let answers = passes.answers.map { arriving[$0] }
    let firstSum = inputs.count + arriving.count + gradients.count + (passes.hasLoss ? 1 : 0)
    let share: [Placement?] = passes.hasLoss ? [nil] : []
    backward = try Program(
      passes.backward,
      donations: Dictionary(uniqueKeysWithValues: sumPlacements.indices.map { (firstSum + $0, $0) }),
      on: device,
      spread: parallelism.spread(
        inputs + arriving + gradients + share + sumPlacements + passes.kept.map { outputs[$0] },
        sumPlacements + answers))

    func buffers(_ types: [TensorType], _ placements: [Placement?]) throws -> [HostBuffer] {
      try zip(types, placements).map { HostBuffer(try placed.local($0, $1)) }
    }
    let kept = passes.forward.outputs[firstKept...].map(\.type)
    for _ in 0..<stage.order.underWay(stage: stage.number, chunk: number / stage.order.stages) {
      free.append(
        Slot(
          try buffers(part.arriving, arriving),
          try buffers(part.leaving + kept, leaving + Array(outputs[firstKept...])),
          try buffers(passes.gradients.map { part.leaving[$0] }, gradients),
          try buffers(passes.answers.map { part.arriving[$0] }, answers)))
    }
    slotBytes = free.reduce(0) { $0 + $1.byteCount }
  }

  /// Bytes that micro-batches under way keep.
  let slotBytes: Int

  /// Whether it reads an input of the whole.
  func reads(_ input: Int) -> Bool { part.inputs.contains(input) }

  /// The forward pass of a micro-batch.
  func runForward(
    _ microBatch: Int, _ batch: (HostBuffer, HostBuffer)?, timing: ((Program, OperationTime) -> Void)?
  ) throws {
    let slot = free.removeLast()
    underWay[microBatch] = slot
    // What was sent from these buffers has long arrived.
    for send in slot.sends { try send.wait() }
    slot.sends = []
    try receive(slot.arriving, from: number - 1, tag: 2 * number, "activations", microBatch)
    let leaving = slot.outputs.prefix(part.leaving.count)
    forward.bind(
      inputs(batch) + slot.arriving, into: leaving + results + slot.outputs.dropFirst(leaving.count))
    try forward.run(telling: timing)
    send(Array(leaving), slot, to: number + 1, tag: 2 * (number + 1), "activations", microBatch)
  }

  /// The backward pass of a micro-batch, which adds its gradients to the sums.
  func runBackward(
    _ microBatch: Int, _ batch: (HostBuffer, HostBuffer)?, timing: ((Program, OperationTime) -> Void)?
  ) throws {
    guard let slot = underWay.removeValue(forKey: microBatch) else {
      preconditionFailure("a backward pass comes behind its forward pass")
    }
    try receive(slot.gradients, from: number + 1, tag: 2 * (number + 1) + 1, "gradients", microBatch)
    let leaving = slot.outputs.prefix(part.leaving.count)
    let all = leaving + results + slot.outputs.dropFirst(leaving.count)
    backward.bind(
      inputs(batch) + slot.arriving + slot.gradients + (passes.hasLoss ? [share] : []) + sums
        + passes.kept.map { all[$0] },
      into: sums + slot.answers)
    try backward.run(telling: timing)
    send(slot.answers, slot, to: number - 1, tag: 2 * number + 1, "gradients", microBatch)
    free.append(slot)
  }

  /// Waits until all that was sent has left.
  func finish() throws {
    for slot in free {
      for send in slot.sends { try send.wait() }
      slot.sends = []
    }
  }

  private func inputs(_ batch: (HostBuffer, HostBuffer)?) -> [HostBuffer] {
    zip(fixed, part.inputs).map { buffer, place in
      buffer ?? (place == whole.batch ? batch!.0 : batch!.1)
    }
  }

  private func receive(
    _ buffers: [HostBuffer], from other: Int, tag: Int, _ what: String, _ microBatch: Int
  ) throws {
    guard !buffers.isEmpty else { return }
    let start = ContinuousClock.now
    for buffer in buffers {
      try stage.line.receive(
        buffer.mutableBytes, from: stage.owner(ofPart: other), tag: tag,
        label: "\(what) of micro-batch \(microBatch) for part \(number)")
    }
    waitedSeconds += start.duration(to: .now) / .seconds(1)
  }

  private func send(
    _ buffers: [HostBuffer], _ slot: Slot, to other: Int, tag: Int, _ what: String, _ microBatch: Int
  ) {
    for buffer in buffers {
      slot.sends.append(
        stage.line.startSend(
          buffer.bytes, to: stage.owner(ofPart: other), tag: tag,
          label: "\(what) of micro-batch \(microBatch) from part \(number)"))
    }
  }
}

/// How tensors that go from stage to stage are spread over the ranks of a stage: by one rule, so that both sides agree.
struct StagePlacement {
  private let parallelism: Parallelism

  init(_ parallelism: Parallelism) { self.parallelism = parallelism }

  /// By samples, which are outermost, where they divide.
  func samples(_ type: TensorType) -> Placement? {
    guard let outer = type.shape.first, outer.isMultiple(of: parallelism.strategy.sampleParts) else {
      return nil
    }
    return parallelism.strategy.samples(rank: type.rank)
  }

  /// What one rank has of a tensor.
  func local(_ type: TensorType, _ placement: Placement?) throws -> TensorType {
    try placement?.sharding.localType(of: type, on: parallelism.group.mesh) ?? type
  }

  /// How a graph makes its outputs.
  func homes(of graph: Graph, inputs: [Placement?]) throws -> [Placement] {
    try Partitioning(parallelism.group.mesh, inputs: inputs, outputs: []).outputHomes(of: graph)
  }
}
