import Pando
import PandoNN

/// This rank's place in a pipeline, and how the network is cut for it: the same on all ranks.
struct PipelineStage: Sendable {
  /// The mesh axis along which stages lie.
  static let axis = "pipeline"

  /// This rank's stage, from 0.
  let number: Int
  /// The ranks that differ in their stage alone, in the order of the stages.
  let line: any Communicator
  /// Which passes are done, and in what order.
  let order: PipelineOrder
  /// Where the network is cut.
  let cut: PipelineCut
  /// For each parameter, in the model's order, the stages that hold it: more than one where it is tied.
  let holders: [[Int]]

  /// Cuts a recipe's network. Collective.
  ///
  /// - Parameter strategy: how each stage is spread.
  /// - Throws: `RecipeError` where there are more parts than layers, or the micro-batches do not fit.
  init(
    _ recipe: Recipe, _ mesh: Mesh, _ strategy: Strategy, _ model: any Layer,
    _ parameters: [NamedParameter], task: TrainingTask, communicator: any Communicator
  ) throws {
    let stages = mesh.size(of: Self.axis)!
    number = mesh.index(of: communicator.rank, along: [Self.axis])
    order = try recipe.pipelineOrder(stages: stages, sampleParts: strategy.sampleParts)
    let pass = try ForwardTensors(
      model, parameters, task: task, recipe: recipe, batch: recipe.data.batch / order.microBatches)
    let whole = try WholePass(pass, parameters)
    do {
      cut = try PipelineCut(whole.graph, batch: whole.batch, parts: order.parts)
    } catch { throw RecipeError(keyPath: "parallel.axes.pipeline", message: error.description) }
    var holders = [[Int]](repeating: [], count: parameters.count)
    for (place, part) in try PipelinePart.all(of: whole.graph, batch: whole.batch, cut).enumerated() {
      for input in part.inputs where input < parameters.count {
        let stage = place % stages
        if !holders[input].contains(stage) { holders[input].append(stage) }
      }
    }
    // What nothing uses is kept by the first stage.
    self.holders = holders.map { $0.isEmpty ? [0] : $0.sorted() }
    let members = mesh.group(of: communicator.rank, along: [Self.axis])
    guard let line = try communicator.split(members: members) else {
      preconditionFailure("a rank is in a group of its own members")
    }
    self.line = line
  }

  /// The stage that a part of the network belongs to.
  func owner(ofPart part: Int) -> Int { part % order.stages }

  /// The parts of the network that this rank's stage does, by chunk.
  var parts: [Int] { (0..<order.chunks).map { $0 * order.stages + number } }
}

/// The whole forward pass of a micro-batch as a graph. Its inputs are all parameters, the key of random numbers, the batch
/// and its targets, and constants; its outputs the loss, what it must be divided by if anything, and new statistics.
struct WholePass {
  let graph: Graph
  /// The constants at the end of its inputs.
  let constants: [HostBuffer]
  /// Places among the inputs.
  let key: Int, batch: Int, target: Int
  /// For each output behind the loss and what it is divided by, the statistic that it is the new value of.
  let statistics: [Int]
  /// How many outputs stand before those.
  let totals: Int

  init(_ pass: ForwardTensors, _ parameters: [NamedParameter]) throws {
    let inputs = parameters.map(\.parameter.tensor) + [pass.key, pass.x, pass.y]
    statistics = pass.updates.keys.sorted()
    let outputs = [pass.loss] + (pass.counted.map { [$0] } ?? [])
    totals = outputs.count
    let traced = try TracedPass(outputs + statistics.map { pass.updates[$0]! }, inputs: inputs)
    (graph, constants) = (traced.graph, traced.constants)
    (key, batch, target) = (parameters.count, parameters.count + 1, parameters.count + 2)
  }
}

/// A graph whose inputs are placeholders and, behind them, tensors with known numbers.
struct TracedPass {
  let graph: Graph
  let constants: [HostBuffer]

  /// - Throws: `TypeError`, or `EngineError` where an output depends on a placeholder that is not in `inputs`.
  init(_ outputs: [Tensor], inputs: [Tensor]) throws {
    let trace = try Trace(outputs, inputs: inputs)
    constants = try trace.constants(after: inputs.count)
    graph = trace.graph
  }
}
