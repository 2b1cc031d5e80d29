import Pando
import PandoNN
import PandoOptimizers

/// A step whose network is cut into stages, each of which is a few ranks: micro-batches go through the stages one behind
/// the other, forward and back, and then every stage updates what it holds.
///
/// Loss and gradients are the means over the micro-batches, as where one rank accumulates them. Each rank adds up the
/// gradients of its own samples; ranks of one stage add up theirs once, at the end of the step. What a pass needs of
/// another stage is asked for before the pass ahead of it begins.
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
    let placements = try Self.sumPlacements(
      of: stage.parts.map { (parts[$0], each[$0]) }, whole, state, parallelism)
    let totals = (0..<whole.totals).map { _ in HostBuffer(.scalar(.float32)) }
    self.totals = totals
    let share = HostBuffer(.scalar(.float32), [1 / Float(count)])
    let key = inputs.key
    chunks = try stage.parts.map { number in
      try PipelineChunk(
        number, parts[number], each[number], whole, state, parallelism, stage, sums: sums,
        sumPlacements: placements, totals: totals, share: share, key: key, device: device)
    }
    update = try StageUpdate(
      state, parallelism, stage, sums: sums, sumPlacements: placements, totals: whole.totals,
      recipe: recipe, optimizer: optimizer, inputs: inputs, device: device)

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

  /// Which passes each stage does.
  var order: PipelineOrder { stage.order }
  /// The programs of this stage's groups of layers.
  var passes: [(forward: Program, backward: Program)] { chunks.map { ($0.forward, $0.backward) } }
  /// What ends a step.
  var updatePrograms: [Program] { update.programs }
  /// What goes from stage to stage, and what the stages agree on at the end.
  var exchanges: [StepExchange] {
    let count = Double(stage.order.microBatches)
    return chunks.flatMap { $0.sentSizes }.map {
      StepExchange(.send, axes: [PipelineStage.axis], ranks: 2, bytes: $0, count: count)
    } + update.exchanges
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
    let (sent, waited) = (recorder.sentBytes, group.waitedSeconds)
    inputs.begin(index, rate: rate)
    for (x, y) in batches {
      let next = try feeds[0].next()
      x.write(from: next.0.pointer)
      y.write(from: next.1.pointer)
    }
    let start = ContinuousClock.now
    for chunk in chunks { chunk.begin() }
    let sums = try runPasses(index, seed: seed, timing: timing)
    let seconds = start.duration(to: .now) / .seconds(1)
    let idle = chunks.flatMap(\.waits).reduce(0) { $0 + $1.seconds }
    let bubble = try update.run(
      sums, BubbleTimes(idleSeconds: idle, busySeconds: seconds - idle), timing: timing)
    for chunk in chunks { try chunk.finish() }
    var report = inputs.report
    report.bubble = bubble
    report.waits = chunks.flatMap(\.waits) + update.waits
    report.traffic.sentBytes = recorder.sentBytes - sent
    report.traffic.seconds =
      group.waitedSeconds - waited + report.waits.reduce(0) { $0 + $1.seconds }
    return report
  }

  /// Does all passes of this stage.
  ///
  /// - Returns: on the last stage the loss of the step, and what it is divided by; zero on others.
  private func runPasses(
    _ index: Int, seed: UInt64, timing: ((Program, OperationTime) -> Void)?
  ) throws -> [Float] {
    let count = stage.order.microBatches
    var sums = totals.map { _ in Float(0) }
    let passes = stage.order.passes(of: stage.number)
    for (place, pass) in passes.enumerated() {
      let chunk = chunks[pass.chunk]
      chunk.expect(pass)
      if place + 1 < passes.count { chunks[passes[place + 1].chunk].expect(passes[place + 1]) }
      let batch = batches.isEmpty ? nil : batches[pass.microBatch]
      StepInputs.set(inputs.key, seed: seed, part: index * count + pass.microBatch)
      guard pass.isForward else {
        try chunk.runBackward(pass, batch, timing: timing)
        continue
      }
      try chunk.runForward(pass, batch, timing: timing)
      guard chunk.number == stage.order.parts - 1 else { continue }
      for (place, total) in totals.enumerated() {
        sums[place] += total.pointer.load(as: Float.self) / Float(count)
      }
    }
    return sums
  }

  /// How the sum of each parameter's gradients is spread while micro-batches add to it: with terms along every axis
  /// along which all groups of layers that use the parameter leave them.
  private static func sumPlacements(
    of parts: [(PipelinePart, PartPasses)], _ whole: WholePass, _ state: TrainingState,
    _ parallelism: Parallelism
  ) throws -> [Int: Placement] {
    let mesh = parallelism.group.mesh
    guard mesh.count > 1 else { return [:] }
    var open: [Int: [String]] = [:]
    for (part, passes) in parts {
      let plan = try PassPlacements(part, passes, whole, state, parallelism)
      let parameters = passes.parameters.map { part.inputs[$0] }
      let axes = try plan.openAxes(parameters.map { state.weights[$0].placement }, on: mesh)
      for (parameter, axes) in zip(parameters, axes) {
        open[parameter] = open[parameter].map { known in known.filter(axes.contains) } ?? axes
      }
    }
    var placements: [Int: Placement] = [:]
    for (parameter, axes) in open {
      placements[parameter] = state.weights[parameter].placement?.withTerms(along: axes)
    }
    return placements
  }
}
