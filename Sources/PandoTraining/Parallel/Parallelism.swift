import Pando
import PandoNN

/// A strategy, and this rank's place in its mesh.
public struct Parallelism: Sendable {
  /// What lies where among the ranks of this rank's stage, which are all unless there is a pipeline.
  public let strategy: Strategy
  /// Their mesh and this rank's place in it.
  public let group: MeshGroup
  /// The mesh of all ranks.
  let mesh: Mesh
  /// This rank's stage; `nil` where the network is not cut into stages.
  let stage: PipelineStage?
  /// All ranks.
  let everyone: any Communicator

  /// The strategy of a recipe whose steps are spread; `nil` for others.
  ///
  /// - Throws: `RecipeError` where the axes do not fit the ranks or the model.
  init?(
    _ recipe: Recipe, _ model: any Layer, _ parameters: [NamedParameter], task: TrainingTask, ranks: Ranks
  ) throws {
    let mesh = try recipe.mesh(ranks: ranks.count)
    self.mesh = mesh
    guard recipe.isSpread, let communicator = ranks.communicator else { return nil }
    everyone = communicator
    let stages = mesh.size(of: PipelineStage.axis) ?? 1
    let inner = try stages == 1 ? mesh : Mesh(axes: mesh.axes.filter { $0.name != PipelineStage.axis })
    strategy = try recipe.strategy(inner, parameters)
    try recipe.checkSpread(mesh, strategy)
    guard stages > 1 else {
      stage = nil
      group = try MeshGroup(inner, communicator)
      return
    }
    let stage = try PipelineStage(
      recipe, mesh, strategy, model, parameters, task: task, communicator: communicator)
    self.stage = stage
    let members = mesh.group(of: communicator.rank, along: inner.axes.map(\.name))
    guard let own = try communicator.split(members: members) else {
      preconditionFailure("a rank is in a group of its own members")
    }
    group = try MeshGroup(inner, own)
  }

  /// Whether this is the run's first rank.
  var isFirst: Bool { everyone.rank == 0 }

  /// Whether this rank holds its part of a parameter, by its place in the model's order.
  func holds(_ parameter: Int) -> Bool {
    stage.map { $0.holders[parameter].contains($0.number) } ?? true
  }

  /// How programs of this rank's stage are spread; `nil` where the stage is one rank.
  func spread(_ inputs: [Placement?], _ outputs: [Placement?] = []) -> Spread? {
    group.mesh.count == 1 ? nil : Spread(group, inputs: inputs, outputs: outputs)
  }

  /// This rank's number among those that compute on other samples.
  var sampleIndex: Int { group.index(along: strategy.sampleAxes) }

  /// This rank's part of a batch of `count` samples that divides.
  func samples(of count: Int) -> Range<Int> {
    let part = count / strategy.sampleParts
    return sampleIndex * part..<(sampleIndex + 1) * part
  }
}

extension TrainingRun {
  /// How a run is spread, and what that leaves on a rank: `spread over data=2 fsdp=2, zero 3; a rank holds at most
  /// 12 MiB of parameters, gradients and optimizer state`. `nil` where nothing but samples is spread.
  var spreadLine: String? {
    if let parallelism = state.parallelism, let stage = parallelism.stage {
      let bubble = (stage.order.bubble * 1000).rounded() / 10
      return
        "spread over \(stage.order): \(stage.cut); the bubble is \(bubble) % of the work; inside a stage "
        + "\(parallelism.strategy)"
    }
    guard let strategy = state.parallelism?.strategy, let memory = program.stateMemory else { return nil }
    return
      "spread over \(strategy); a rank holds at most \(Figures.bytes(memory.peakBytes)) of parameters, gradients "
      + "and optimizer state"
  }
}
