import Pando
import PandoNN

/// The program of a step graph, with the run's state, its small inputs and its batches in their places.
final class StepRunner {
  let program: Program
  /// What this rank holds of parameters, gradients and optimizer tensors at the highest.
  let stateMemory: StateMemory?
  private let inputs = StepInputs()
  /// The place of the samples among the inputs.
  private let samples: Int

  /// - Parameters:
  ///   - pass: of which the graph was made.
  ///   - batch: samples that this process takes.
  ///   - spread: over which ranks; `nil` where there is one.
  init(
    _ graph: StepGraph, _ pass: StepTensors, _ state: TrainingState, batch: Int, device: Device,
    budget: StepBudget, spread: Spread? = nil
  ) throws {
    samples = graph.samples
    program = try budget.program(loss: graph.state.count) { recompute in
      try Program(
        graph.outputs, inputs: graph.inputs, donations: graph.donations, on: device, recompute: recompute,
        spread: spread, offload: state.offload(graph.inputs, hasGradients: true))
    }
    stateMemory = StateMemory(program.compiledGraph, state: state)
    inputs.watch(pass.figures)
    let buffers = state.buffers(of: graph.state)
    program.bind(
      buffers + [
        inputs.key, inputs.learningRate, inputs.step,
        HostBuffer(pass.x.type.withSamples(batch)), HostBuffer(pass.y.type.withSamples(batch)),
      ],
      into: buffers + inputs.reported)
  }

  /// Does step `index`.
  ///
  /// - Parameters:
  ///   - part: whose random numbers are drawn.
  ///   - group: the ranks among which the program exchanges; `nil` where there is one.
  func run(
    _ index: Int, seed: UInt64, part: Int, rate: Double, feed: BatchFeed, over group: MeshGroup? = nil,
    timing: StepTiming?
  ) throws -> StepReport {
    let tell = timing.map { timing in
      { (program: Program, time: OperationTime) in timing(program, 0, time) }
    }
    inputs.begin(index, rate: rate)
    StepInputs.set(inputs.key, seed: seed, part: part)
    let (x, y) = try feed.next()
    program.rebind(samples, x)
    program.rebind(samples + 1, y)
    var traffic = StepTraffic()
    if let group {
      try traffic.count(group) { try program.run(telling: tell) }
    } else {
      try program.run(telling: tell)
    }
    var report = inputs.report
    report.traffic = traffic
    return report
  }
}

extension TensorType {
  /// The type of a batch of another number of samples.
  func withSamples(_ count: Int) -> TensorType { with(shape: [count] + shape.dropFirst()) }
}
