import Pando

extension TrainingState {
  /// Weights and optimizer tensors with whole buffers, as checkpoints hold them.
  struct Whole {
    let weights: [Entry]
    let slots: [Entry]
  }

  /// Brings the parts of all ranks together on the first rank. Collective; where nothing is spread, it is the state.
  ///
  /// - Returns: `nil` on other ranks of a spread run.
  func whole() throws -> Whole? {
    guard let parallelism else { return Whole(weights: weights, slots: slots.flatMap { $0 }) }
    var gathered: [Entry] = []
    for entry in entries {
      let buffer = try entry.gathered(in: parallelism)
      if parallelism.isFirst {
        gathered.append(Entry(name: entry.name, placeholder: entry.placeholder, buffer: buffer))
      }
    }
    guard parallelism.isFirst else { return nil }
    return Whole(weights: Array(gathered[..<weights.count]), slots: Array(gathered[weights.count...]))
  }

  /// Bytes that it takes to bring the parts of all ranks together: one tensor after another passes, as parts and as a
  /// whole, and the first rank keeps the wholes.
  func gatheringBytes(onFirst: Bool) -> Int {
    guard let parallelism else { return 0 }
    let gathered = entries.filter { !$0.sharding.isReplicated || parallelism.stage != nil }
    let passing = gathered.map { entry in
      let parts = entry.isElsewhere || entry.sharding.isReplicated ? 0 : parallelism.group.mesh.count
      return parts * entry.buffer.type.byteCount + entry.type.byteCount
    }
    let kept = gathered.reduce(0) { $0 + $1.type.byteCount }
    return (passing.max() ?? 0) + (onFirst ? kept : 0)
  }

  /// Gives every rank its part of the first rank's whole state. Collective.
  ///
  /// - Parameter whole: on the first rank the state; `nil` on others.
  func spread(_ whole: Whole?) throws {
    guard let parallelism else { return }
    for (place, entry) in entries.enumerated() {
      let buffer = whole.map { ($0.weights + $0.slots)[place].buffer } ?? HostBuffer(entry.type)
      try withExtendedLifetime(buffer) {
        try parallelism.everyone.broadcast(buffer.mutableBytes, label: entry.name)
      }
      guard !entry.isElsewhere else { continue }
      let part = try buffer.shard(
        entry.sharding, of: parallelism.group.mesh, rank: parallelism.group.rank, name: entry.name)
      withExtendedLifetime(part) { entry.buffer.write(from: part.pointer) }
    }
  }

  /// New whole buffers for the state of a spread run; the state's own where nothing is spread.
  func wholeBuffers() -> Whole {
    guard parallelism != nil else { return Whole(weights: weights, slots: slots.flatMap { $0 }) }
    func blank(_ entries: [Entry]) -> [Entry] {
      entries.map { Entry(name: $0.name, placeholder: $0.placeholder, buffer: HostBuffer($0.type)) }
    }
    return Whole(weights: blank(weights), slots: blank(slots.flatMap { $0 }))
  }
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
