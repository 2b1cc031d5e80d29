import Pando
import PandoNN
import PandoOptimizers

/// A step whose network is cut into stages, each of which is a few ranks: micro-batches go through the stages one behind
/// the other, forward and back, and then every stage updates what it holds.
///
/// Loss and gradients are the means over the micro-batches, as where one rank accumulates them.
final class PipelineStep: StepProgram {
  private let stage: PipelineStage
  private let group: MeshGroup
  private let recorder: FlightRecorder
  private let chunks: [PipelineChunk]
  private let update: StageUpdate
  private let inputs = StepInputs()
  /// The loss of one micro-batch, and what it is divided by.
  private let totals: [HostBuffer]
  /// The batches of a step, where this stage reads any.
  private let batches: [(HostBuffer, HostBuffer)]
  let slices: [StepSlice]
  let flops: Int

  init(
    _ state: TrainingState, _ parallelism: Parallelism, _ stage: PipelineStage, task: TrainingTask,
    recipe: Recipe, optimizer: any Optimizer, device: Device
  ) throws {
    self.stage = stage
    group = parallelism.group
    recorder = parallelism.everyone.recorder
    let count = stage.order.microBatches
    let tensors = try ForwardTensors(
      state.model, state.parameters, task: task, recipe: recipe, batch: recipe.data.batch / count)
    let whole = try WholePass(tensors, state.parameters)
    let trained = Set(state.trainable)
    let fixed = Set(whole.graph.inputs.indices).subtracting([whole.key, whole.batch, whole.target])
    let recomputes = recipe.train.recompute == .blocks || recipe.train.recompute == .sqrt
    let parts = try PipelinePart.all(of: whole.graph, batch: whole.batch, stage.cut)
    let each = try parts.map {
      try PartPasses($0, trained: trained, fixed: fixed, recomputes: recomputes)
    }
    flops = count * each.reduce(0) { $0 + $1.forward.cost.flops + $1.backward.cost.flops }

    var sums: [Int: HostBuffer] = [:]
    for index in state.trainable where parallelism.holds(index) {
      sums[index] = HostBuffer(state.weights[index].buffer.type)
    }
    let totals = (0..<whole.totals).map { _ in HostBuffer(.scalar(.float32)) }
    self.totals = totals
    let share = HostBuffer(.scalar(.float32), [1 / Float(count)])
    let key = inputs.key
    chunks = try stage.parts.map { number in
      try PipelineChunk(
        number, parts[number], each[number], whole, state, parallelism, stage, sums: sums, totals: totals,
        share: share, key: key, device: device)
    }
    update = try StageUpdate(
      state, parallelism, stage, sums: sums, totals: whole.totals, recipe: recipe, optimizer: optimizer,
      inputs: inputs, device: device)

    let own = parallelism.samples(of: recipe.data.batch)
    let isFed = chunks.contains { $0.reads(whole.batch) || $0.reads(whole.target) }
    slices =
      isFed
      ? [StepSlice(batch: own.count / count, count: count, offset: own.lowerBound, stepParts: count)] : []
    batches = slices.flatMap { slice in
      (0..<count).map { _ in
        (
          HostBuffer(tensors.x.type.withSamples(slice.batch)),
          HostBuffer(tensors.y.type.withSamples(slice.batch))
        )
      }
    }
  }

  var programs: [Program] { chunks.flatMap { [$0.backward, $0.forward] } + update.programs }
  var phases: [StepPhase] {
    let count = stage.order.microBatches
    return chunks.flatMap {
      [StepPhase(program: $0.backward, runs: count), StepPhase(program: $0.forward, runs: count)]
    } + update.programs.map { StepPhase(program: $0, runs: 1) }
  }
  var memory: [MemoryReport] { programs.map(\.memory) }
  var sumBytes: Int {
    let batchBytes = batches.reduce(0) { $0 + $1.0.type.byteCount + $1.1.type.byteCount }
    return update.sumBytes + batchBytes + chunks.reduce(0) { $0 + $1.slotBytes }
  }

  func run(_ index: Int, seed: UInt64, rate: Double, feeds: [BatchFeed], timing: StepTiming?) throws
    -> StepReport
  {
    let timing = timing.map { timing in
      { (program: Program, time: OperationTime) in timing(program, 0, time) }
    }
    let (sent, waited) = (recorder.sentBytes, waitedSeconds)
    inputs.begin(index, rate: rate)
    for (x, y) in batches {
      let next = try feeds[0].next()
      x.write(from: next.0.pointer)
      y.write(from: next.1.pointer)
    }
    let count = stage.order.microBatches
    var sums = totals.map { _ in Float(0) }
    for pass in stage.order.passes(of: stage.number) {
      let chunk = chunks[pass.chunk]
      let batch = batches.isEmpty ? nil : batches[pass.microBatch]
      StepInputs.set(inputs.key, seed: seed, part: index * count + pass.microBatch)
      guard pass.isForward else {
        try chunk.runBackward(pass.microBatch, batch, timing: timing)
        continue
      }
      try chunk.runForward(pass.microBatch, batch, timing: timing)
      guard chunk.number == stage.order.parts - 1 else { continue }
      for (place, total) in totals.enumerated() {
        sums[place] += total.pointer.load(as: Float.self) / Float(count)
      }
    }
    try update.run(sums, timing: timing)
    for chunk in chunks { try chunk.finish() }
    var report = inputs.report
    report.traffic.sentBytes = recorder.sentBytes - sent
    report.traffic.seconds = waitedSeconds - waited
    return report
  }

  private var waitedSeconds: Double {
    group.waitedSeconds + update.waitedSeconds + chunks.reduce(0) { $0 + $1.waitedSeconds }
  }
}
