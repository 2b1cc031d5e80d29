import Pando
import PandoNN

/// A strategy, and this rank's place in its mesh.
public struct Parallelism: Sendable {
  /// What lies where among the ranks of this rank's stage, which are all unless there is a pipeline.
  public let strategy: Strategy
  /// Their mesh and this rank's place in it.
  public let group: MeshGroup
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

/// Which part of which tensor of a run's state each rank holds: parameters under their names, the optimizer's tensors
/// under theirs.
public struct ParameterShards: Sendable {
  /// One tensor of the state.
  public struct Entry: Sendable {
    /// The name, as in checkpoints: `blocks.0.mlp.up.weight`, `exp_avg.blocks.0.mlp.up.weight`.
    public let name: String
    /// The whole tensor.
    public let type: TensorType
    /// How it is spread.
    public let sharding: Sharding
  }

  /// A box of a whole tensor.
  public struct Part: Hashable, Sendable {
    /// The first place along each dimension.
    public let starts: [Int]
    /// The size along each dimension.
    public let shape: [Int]
  }

  /// The mesh.
  public let mesh: Mesh
  /// All tensors, in the order of the state.
  public let entries: [Entry]

  /// The part of a tensor that a rank holds.
  public func part(of entry: Entry, rank: Int) -> Part {
    let starts = entry.sharding.starts(of: entry.type, on: mesh, rank: rank)
    let shape = zip(entry.type.shape, entry.sharding.dimensions).map { $0 / mesh.parts($1) }
    return Part(starts: starts, shape: shape)
  }

  /// The lowest of the ranks that hold the same part as `rank`: the one that has to save it.
  public func owner(of entry: Entry, rank: Int) -> Int {
    let own = part(of: entry, rank: rank)
    return (0...rank).first { part(of: entry, rank: $0) == own }!
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

  /// Which part of its state each rank holds; `nil` where every rank holds all of it, or stages hold other tensors.
  public var shards: ParameterShards? {
    state.parallelism.flatMap { parallelism in
      guard parallelism.stage == nil else { return nil }
      return ParameterShards(
        mesh: parallelism.group.mesh,
        entries: state.entries.map {
          ParameterShards.Entry(name: $0.name, type: $0.type, sharding: $0.sharding)
        })
    }
  }
}
