import Pando

extension TrainingState {
  /// Weights and optimizer tensors with whole buffers.
  struct Whole {
    let weights: [Entry]
    let slots: [Entry]
  }

  /// Brings the parts of all ranks together on the first rank, which needs memory for all of them. Collective; where
  /// nothing is spread, it is the state.
  ///
  /// - Returns: `nil` on other ranks of a spread run.
  func whole() throws -> Whole? {
    // Both before either is looked at: other ranks take part in them too.
    let parts = (weights: try gathered(weights), slots: try gathered(slots.flatMap { $0 }))
    guard let weights = parts.weights, let slots = parts.slots else { return nil }
    return Whole(weights: weights, slots: slots)
  }

  /// Brings the parts of some tensors together on the first rank. Collective; where nothing is spread, they are there.
  ///
  /// - Returns: `nil` on other ranks of a spread run.
  func gathered(_ entries: [Entry]) throws -> [Entry]? {
    guard let parallelism else { return entries }
    var gathered: [Entry] = []
    for entry in entries {
      let buffer = try entry.gathered(in: parallelism)
      if parallelism.isFirst {
        gathered.append(Entry(name: entry.name, placeholder: entry.placeholder, buffer: buffer))
      }
    }
    return parallelism.isFirst ? gathered : nil
  }

  /// Gives every rank its part of a state that the first rank reads, a tensor at a time, so that no rank needs memory
  /// for all of it. Collective.
  ///
  /// - Parameter saved: on the first rank where the state is; `nil` on others.
  func spread(_ saved: SavedState?) throws {
    guard let parallelism else { return }
    let parts = [
      (weights, StateCheckpoints.modelStem), (slots.flatMap { $0 }, StateCheckpoints.optimizerStem),
    ]
    for (entries, stem) in parts {
      let reader = try saved?.reader(stem)
      for entry in entries {
        let buffer = HostBuffer(entry.type)
        try withExtendedLifetime(buffer) {
          try reader?.read(TensorSlice(whole: entry.name, entry.type), into: buffer.mutableBytes)
          try parallelism.everyone.broadcast(buffer.mutableBytes, label: entry.name)
        }
        guard !entry.isElsewhere else { continue }
        let part = try buffer.shard(
          entry.sharding, of: parallelism.group.mesh, rank: parallelism.group.rank, name: entry.name)
        withExtendedLifetime(part) { entry.buffer.write(from: part.pointer) }
      }
    }
  }
}

/// A checkpoint whose state is still to be read.
struct SavedState {
  let found: CheckpointStore.Found

  /// Reads tensors of the checkpoint's shards that are called `stem`.
  func reader(_ stem: String) throws -> ShardReader { try ShardReader(stem, of: found) }
}

extension TrainingState.Entry {
  /// The type of the whole tensor.
  var type: TensorType { placeholder.type }

  /// How it is spread.
  var sharding: Sharding { placement?.sharding ?? .replicated(type.rank) }

  /// The whole tensor, on every rank. Collective.
  func gathered(in parallelism: Parallelism) throws -> HostBuffer {
    guard let line = parallelism.stage?.line else {
      return try buffer.gathered(as: type, sharding, in: parallelism.group, name: name)
    }
    // The ranks of the stage that has it put it together, and each tells those in its place of other stages.
    let isOwn = parallelism.stage?.number == stage
    let whole =
      try isOwn ? buffer.gathered(as: type, sharding, in: parallelism.group, name: name) : HostBuffer(type)
    try withExtendedLifetime(whole) { try line.broadcast(whole.mutableBytes, from: stage, label: name) }
    return whole
  }
}
