import Pando

/// The network's forward pass in evaluation, cut where training cuts it: each stage runs its layers and hands on.
final class EvaluationPipeline {
  /// One group of layers.
  private struct Chunk {
    let number: Int
    let program: Program
    /// For each input its buffer; `nil` for what each batch brings.
    let fixed: [HostBuffer?]
    let inputs: [Int]
    let arriving: [HostBuffer]
    let leaving: [HostBuffer]
    let own: [HostBuffer]
  }

  private let stage: PipelineStage
  private let chunks: [Chunk]
  private let outputs: [HostBuffer]
  /// For each output the stage that makes it.
  private let makers: [Int]

  /// - Parameters:
  ///   - results: what comes out, on all ranks; the batch leads to the first.
  ///   - samples: the batch and what else changes from run to run.
  ///   - outputs: buffers of the results.
  init(
    _ results: [Tensor], samples: [Tensor], into outputs: [HostBuffer], _ state: TrainingState,
    _ parallelism: Parallelism, _ stage: PipelineStage, device: Device
  ) throws {
    self.stage = stage
    self.outputs = outputs
    let weights = state.weights.count
    let traced = try TracedPass(results, inputs: state.weights.map(\.placeholder) + samples)
    let parts = try PipelinePart.all(of: traced.graph, batch: weights, stage.cut)
    var makers = results.map { _ in 0 }
    for (number, part) in parts.enumerated() {
      for output in part.outputs { makers[output] = stage.owner(ofPart: number) }
      let strange = part.inputs.first {
        $0 < weights && !stage.holders[$0].contains(stage.owner(ofPart: number))
      }
      if let strange {
        throw RecipeError(
          keyPath: "parallel.axes.pipeline",
          message:
            "\(state.weights[strange].name) is used by other layers in evaluation than in training; set the axis to 1"
        )
      }
    }
    self.makers = makers
    let placed = StagePlacement(parallelism)
    let firstConstant = weights + samples.count
    chunks = try stage.parts.map { number in
      let part = parts[number]
      let inputs = part.inputs.map { place -> Placement? in
        if place < weights { return state.weights[place].placement }
        return place < firstConstant ? placed.samples(traced.graph.inputs[place].value.type) : nil
      }
      let (arriving, leaving) = (part.arriving.map(placed.samples), part.leaving.map(placed.samples))
      let program = try Program(
        part.graph, on: device, spread: parallelism.spread(inputs + arriving, leaving))
      return Chunk(
        number: number, program: program,
        fixed: part.inputs.map { place in
          if place < weights { return state.weights[place].buffer }
          return place >= firstConstant ? traced.constants[place - firstConstant] : nil
        }, inputs: part.inputs.map { $0 - weights },
        arriving: try zip(part.arriving, arriving).map { HostBuffer(try placed.local($0, $1)) },
        leaving: try zip(part.leaving, leaving).map { HostBuffer(try placed.local($0, $1)) },
        own: part.outputs.map { outputs[$0] })
    }
  }

  /// The memory of all its programs, and of what goes from stage to stage.
  var memory: MemoryReport {
    var total = MemoryReport(argumentBytes: 0, resultBytes: 0, arenaBytes: 0, measuredArenaBytes: 0)
    for chunk in chunks {
      let memory = chunk.program.memory
      total.argumentBytes += memory.argumentBytes
      total.resultBytes += memory.resultBytes + chunk.arriving.reduce(0) { $0 + $1.type.byteCount }
      total.arenaBytes += memory.arenaBytes
      total.measuredArenaBytes += memory.measuredArenaBytes
    }
    return total
  }

  /// Runs a batch through all stages. Collective; every rank gets the results.
  ///
  /// - Parameter samples: this rank's part of the batch and of what else changes.
  func run(_ samples: [HostBuffer]) throws {
    for chunk in chunks {
      for buffer in chunk.arriving {
        try stage.line.receive(
          buffer.mutableBytes, from: stage.owner(ofPart: chunk.number - 1), tag: chunk.number,
          label: "activations for part \(chunk.number) in evaluation")
      }
      chunk.program.bind(
        zip(chunk.fixed, chunk.inputs).map { $0 ?? samples[$1] } + chunk.arriving,
        into: chunk.leaving + chunk.own)
      try chunk.program.run()
      for buffer in chunk.leaving {
        try stage.line.send(
          buffer.bytes, to: stage.owner(ofPart: chunk.number + 1), tag: chunk.number + 1,
          label: "activations of part \(chunk.number) in evaluation")
      }
    }
    for (output, maker) in zip(outputs, makers) {
      try withExtendedLifetime(output) {
        try stage.line.broadcast(output.mutableBytes, from: maker, label: "results of evaluation")
      }
    }
  }
}
