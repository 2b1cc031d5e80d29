import PandoIR

extension HostBuffer {
  /// A copy of one rank's part of this whole tensor.
  ///
  /// - Throws: `ShardingError` where the tensor does not divide so.
  public func shard(_ sharding: Sharding, of mesh: Mesh, rank: Int, name: String = "the tensor") throws
    -> HostBuffer
  {
    let part = HostBuffer(try sharding.localType(of: type, on: mesh, name: name))
    Self.forEachRun(of: part.type, in: type, from: sharding.starts(of: type, on: mesh, rank: rank)) {
      local, whole, count in
      part.pointer.advanced(by: local).copyMemory(from: pointer + whole, byteCount: count)
    }
    return part
  }

  /// The whole of which `parts` are the parts of all ranks, in their order. Of copies the first is taken.
  ///
  /// - Throws: `ShardingError` where the tensor does not divide so, or a part is missing or of another type.
  public static func merging(
    _ parts: [HostBuffer], as type: TensorType, _ sharding: Sharding, of mesh: Mesh,
    name: String = "the tensor"
  ) throws -> HostBuffer {
    let local = try sharding.localType(of: type, on: mesh, name: name)
    guard parts.count == mesh.count, parts.allSatisfy({ $0.type == local }) else {
      throw ShardingError(
        "\(name) needs a part of \(local) from each of \(mesh.count) ranks, got \(parts.map(\.type))")
    }
    let whole = HostBuffer(type)
    var seen: Set<[Int]> = []
    for (rank, part) in parts.enumerated() {
      let starts = sharding.starts(of: type, on: mesh, rank: rank)
      guard seen.insert(starts).inserted else { continue }
      forEachRun(of: local, in: type, from: starts) { offset, place, count in
        whole.pointer.advanced(by: place).copyMemory(from: part.pointer + offset, byteCount: count)
      }
    }
    return whole
  }

  /// This rank's part is given, the whole comes back, on every rank. Collective over the whole mesh; memory for all
  /// parts is needed at once.
  ///
  /// - Throws: `ShardingError` where the tensor does not divide so; `CommunicationError`.
  public func gathered(as type: TensorType, _ sharding: Sharding, in group: MeshGroup, name: String) throws
    -> HostBuffer
  {
    if sharding.isReplicated { return self }
    let all = HostBuffer(TensorType([group.mesh.count * self.type.byteCount], .uint8))
    try group.communicator.allGather(bytes, into: all.mutableBytes, label: name)
    let parts = (0..<group.mesh.count).map {
      HostBuffer(self.type, borrowing: all.pointer + $0 * self.type.byteCount)
    }
    return try withExtendedLifetime(all) {
      try HostBuffer.merging(parts, as: type, sharding, of: group.mesh, name: name)
    }
  }

  /// Calls `body` for each stretch of memory that a part and its whole share: byte offsets in both, and bytes.
  private static func forEachRun(
    of part: TensorType, in whole: TensorType, from starts: [Int],
    _ body: (_ part: Int, _ whole: Int, _ count: Int) -> Void
  ) {
    guard part.count > 0 else { return }
    var inner = part.rank
    var run = 1
    while inner > 0 {
      inner -= 1
      run *= part.shape[inner]
      if part.shape[inner] != whole.shape[inner] { break }
    }
    let (outer, strides, size) = (Array(part.shape[..<inner]), whole.strides, part.dtype.byteCount)
    let base = zip(starts, strides).reduce(0) { $0 + $1.0 * $1.1 }
    for index in 0..<outer.reduce(1, *) {
      let place = zip(Indexing.coordinates(index, outer), strides).reduce(base) { $0 + $1.0 * $1.1 }
      body(index * run * size, place * size, run * size)
    }
  }
}
