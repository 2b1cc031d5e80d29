import Pando

/// One group of layers of this rank's stage: its programs, and the memory of the micro-batches that are under way.
final class PipelineChunk {
  /// What a micro-batch that is under way keeps.
  private final class Slot {
    /// What has arrived; the slot has it from the forward pass to the backward pass.
    var arriving: [HostBuffer] = []
    /// What leaves, and what the backward pass reads again.
    let outputs: [HostBuffer]
    let gradients: [HostBuffer]
    let answers: [HostBuffer]
    var sends: [any CommunicationRequest] = []

    init(_ outputs: [HostBuffer], _ gradients: [HostBuffer], _ answers: [HostBuffer]) {
      (self.outputs, self.gradients, self.answers) = (outputs, gradients, answers)
    }

    var buffers: [HostBuffer] { outputs + gradients + answers }
  }

  /// What comes from another stage for a pass, and was asked for before the pass had its turn.
  private struct Arrival {
    let buffers: [HostBuffer]
    let requests: [any CommunicationRequest]
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
  /// Memory for what arrives: that of one micro-batch more than are under way.
  private var freeArrivals: [[HostBuffer]] = []
  private var arrivals: [PipelinePass: Arrival] = [:]
  /// When nothing was done but wait for another stage, since `begin`.
  private(set) var waits: [StageWait] = []

  /// - Parameters:
  ///   - sums: the sum of the gradients of each trained parameter that this rank holds.
  ///   - sumPlacements: how those sums are spread.
  ///   - totals: where the loss of a micro-batch goes, and what it is divided by.
  ///   - share: what a micro-batch counts in a step.
  init(
    _ number: Int, _ part: PipelinePart, _ passes: PartPasses, _ whole: WholePass, _ state: TrainingState,
    _ parallelism: Parallelism, _ stage: PipelineStage, sums: [Int: HostBuffer],
    sumPlacements placements: [Int: Placement], totals: [HostBuffer], share: HostBuffer, key: HostBuffer,
    device: Device
  ) throws {
    (self.number, self.part, self.passes, self.stage, self.whole) = (number, part, passes, stage, whole)
    self.share = share
    let placed = StagePlacement(parallelism)
    let plan = try PassPlacements(part, passes, whole, state, parallelism)
    let (inputs, arriving, leaving, own) = (plan.inputs, plan.arriving, plan.leaving, plan.own)
    let (outputs, firstKept) = (plan.outputs, plan.firstKept)

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
    let sumPlacements = parameters.map { placements[$0] }
    backward = try Program(
      passes.backward,
      donations: Dictionary(uniqueKeysWithValues: sumPlacements.indices.map { (plan.firstSum + $0, $0) }),
      on: device,
      spread: parallelism.spread(plan.backwardInputs(sumPlacements), sumPlacements + plan.answers))

    func buffers(_ types: [TensorType], _ placements: [Placement?]) throws -> [HostBuffer] {
      try zip(types, placements).map { HostBuffer(try placed.local($0, $1)) }
    }
    let kept = passes.forward.outputs[firstKept...].map(\.type)
    let underWay = stage.order.underWay(stage: stage.number, chunk: number / stage.order.stages)
    for _ in 0..<underWay {
      free.append(
        Slot(
          try buffers(part.leaving + kept, leaving + Array(outputs[firstKept...])),
          try buffers(passes.gradients.map { part.leaving[$0] }, plan.gradients),
          try buffers(passes.answers.map { part.arriving[$0] }, plan.answers)))
    }
    for _ in 0...underWay { freeArrivals.append(try buffers(part.arriving, arriving)) }
    slotBytes = (free.flatMap(\.buffers) + freeArrivals.joined()).reduce(0) { $0 + $1.type.byteCount }
  }

  /// Bytes of each tensor that a micro-batch sends on, and sends back.
  var sentSizes: [Int] {
    guard let slot = free.first ?? underWay.values.first else { return [] }
    return (slot.outputs.prefix(part.leaving.count) + slot.answers).map(\.type.byteCount)
  }

  /// Bytes that micro-batches under way keep.
  let slotBytes: Int

  /// Whether it reads an input of the whole.
  func reads(_ input: Int) -> Bool { part.inputs.contains(input) }

  /// A step begins.
  func begin() { waits = [] }

  /// Asks for what a pass needs of another stage, so that it comes while this one still does something else. Passes
  /// are expected in the order in which they are run.
  func expect(_ pass: PipelinePass) {
    guard arrivals[pass] == nil else { return }
    if pass.isForward {
      let buffers = freeArrivals.removeLast()
      arrivals[pass] = arrival(buffers, from: number - 1, tag: 2 * number, "activations", pass)
    } else if let slot = underWay[pass.microBatch] {
      arrivals[pass] = arrival(
        slot.gradients, from: number + 1, tag: 2 * (number + 1) + 1, "gradients", pass)
    }
  }

  /// The forward pass of a micro-batch.
  func runForward(
    _ pass: PipelinePass, _ batch: (HostBuffer, HostBuffer)?, timing: ((Program, OperationTime) -> Void)?
  ) throws {
    let slot = free.removeLast()
    underWay[pass.microBatch] = slot
    // What was sent from these buffers has long arrived.
    for send in slot.sends { try send.wait() }
    slot.sends = []
    slot.arriving = try received(for: pass, "activations")
    let leaving = slot.outputs.prefix(part.leaving.count)
    forward.bind(
      inputs(batch) + slot.arriving, into: leaving + results + slot.outputs.dropFirst(leaving.count))
    try forward.run(telling: timing)
    send(Array(leaving), slot, to: number + 1, tag: 2 * (number + 1), "activations", pass)
  }

  /// The backward pass of a micro-batch, which adds its gradients to the sums.
  func runBackward(
    _ pass: PipelinePass, _ batch: (HostBuffer, HostBuffer)?, timing: ((Program, OperationTime) -> Void)?
  ) throws {
    _ = try received(for: pass, "gradients")
    guard let slot = underWay.removeValue(forKey: pass.microBatch) else {
      preconditionFailure("a backward pass comes behind its forward pass")
    }
    let leaving = slot.outputs.prefix(part.leaving.count)
    let all = leaving + results + slot.outputs.dropFirst(leaving.count)
    backward.bind(
      inputs(batch) + slot.arriving + slot.gradients + (passes.hasLoss ? [share] : []) + sums
        + passes.kept.map { all[$0] },
      into: sums + slot.answers)
    try backward.run(telling: timing)
    send(slot.answers, slot, to: number - 1, tag: 2 * number + 1, "gradients", pass)
    freeArrivals.append(slot.arriving)
    slot.arriving = []
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

  private func arrival(
    _ buffers: [HostBuffer], from other: Int, tag: Int, _ what: String, _ pass: PipelinePass
  ) -> Arrival {
    let requests = buffers.map { buffer in
      stage.line.startReceive(
        buffer.mutableBytes, from: stage.owner(ofPart: other), tag: tag,
        label: "\(what) of micro-batch \(pass.microBatch) for part \(number)")
    }
    return Arrival(buffers: buffers, requests: requests)
  }

  /// What a pass needs of another stage, once it is here.
  private func received(for pass: PipelinePass, _ what: String) throws -> [HostBuffer] {
    expect(pass)
    guard let arrival = arrivals.removeValue(forKey: pass) else {
      preconditionFailure("a backward pass comes behind its forward pass")
    }
    guard !arrival.requests.isEmpty else { return arrival.buffers }
    let start = ContinuousClock.now
    for request in arrival.requests { try request.wait() }
    waits.append(StageWait(label: "\(what) of micro-batch \(pass.microBatch)", time: start...(.now)))
    return arrival.buffers
  }

  private func send(
    _ buffers: [HostBuffer], _ slot: Slot, to other: Int, tag: Int, _ what: String, _ pass: PipelinePass
  ) {
    for buffer in buffers {
      slot.sends.append(
        stage.line.startSend(
          buffer.bytes, to: stage.owner(ofPart: other), tag: tag,
          label: "\(what) of micro-batch \(pass.microBatch) from part \(number)"))
    }
  }
}
