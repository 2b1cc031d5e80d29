import Pando

/// Which part of which tensor of a run's state each rank holds, and which ranks save it: parameters under their names,
/// the optimizer's tensors under theirs.
public struct ParameterShards: Sendable {
  /// One tensor of the state.
  public struct Entry: Sendable {
    /// The name, as in checkpoints: `blocks.0.mlp.up.weight`, `exp_avg.blocks.0.mlp.up.weight`.
    public let name: String
    /// The whole tensor.
    public let type: TensorType
    /// How it is spread over the ranks of each stage that holds it.
    public let sharding: Sharding
    /// The stages of a pipeline that hold it, ascending; the first one where there is no pipeline.
    public let stages: [Int]
  }

  /// A box of a whole tensor.
  public struct Part: Hashable, Sendable {
    /// The first place along each dimension.
    public let starts: [Int]
    /// The size along each dimension.
    public let shape: [Int]
  }

  /// The mesh of all ranks.
  public let mesh: Mesh
  /// All tensors, in the order of the state.
  public let entries: [Entry]

  /// The part of a tensor that a rank holds; `nil` where another stage holds all of it.
  public func part(of entry: Entry, rank: Int) -> Part? {
    guard entry.stages.contains(stage(of: rank)) else { return nil }
    let starts = entry.sharding.starts(of: entry.type, on: mesh, rank: rank)
    let shape = zip(entry.type.shape, entry.sharding.dimensions).map { $0 / mesh.parts($1) }
    return Part(starts: starts, shape: shape)
  }

  /// The ranks that hold the same part as `rank`, ascending: they divide the saving of it. None where the part is
  /// saved by another stage, which is the first one that holds the tensor.
  public func savers(of entry: Entry, rank: Int) -> [Int] {
    guard entry.stages.first == stage(of: rank) else { return [] }
    let cuts = Set(entry.sharding.axes + [PipelineStage.axis])
    return mesh.group(of: rank, along: mesh.axes.map(\.name).filter { !cuts.contains($0) }).sorted()
  }

  /// Whether some of `ranks` hold every part of every tensor.
  public func areWhole(on ranks: Set<Int>) -> Bool {
    guard ranks.count < mesh.count else { return true }
    return entries.allSatisfy { entry in
      (0..<mesh.count).allSatisfy { rank in
        entry.stages.first != stage(of: rank) || !ranks.isDisjoint(with: savers(of: entry, rank: rank))
      }
    }
  }

  private func stage(of rank: Int) -> Int {
    mesh.size(of: PipelineStage.axis) == nil ? 0 : mesh.index(of: rank, along: [PipelineStage.axis])
  }
}

extension TrainingState {
  /// Which part of the state each of `ranks` ranks holds: all of it where nothing is spread.
  func shards(ranks: Int) -> ParameterShards {
    guard let mesh = try? parallelism?.mesh ?? Mesh(["data": ranks]) else {
      preconditionFailure("\(ranks) ranks make no mesh")
    }
    let holders = parallelism?.stage?.holders
    let weightStages = weights.indices.map { holders?[$0] ?? [0] }
    let slotStages = zip(trainable, slots).flatMap { index, slots in slots.map { _ in weightStages[index] } }
    return ParameterShards(
      mesh: mesh,
      entries: zip(entries, weightStages + slotStages).map {
        ParameterShards.Entry(name: $0.name, type: $0.type, sharding: $0.sharding, stages: $1)
      })
  }
}

extension TrainingRun {
  /// Which part of its state each rank holds; `nil` where every rank holds all of it.
  public var shards: ParameterShards? {
    state.parallelism == nil ? nil : state.shards(ranks: ranks.count)
  }
}
