import PandoEngine
import PandoIR

/// Judges a graph's partition by running it on as many in-process ranks as its mesh has.
public struct PartitionCheck: Sendable {
  /// The mesh.
  public let mesh: Mesh
  /// How each input is spread.
  public let inputs: [Sharding]
  /// How each output is spread.
  public let outputs: [Sharding]

  /// A check of partitions that are spread so.
  public init(_ mesh: Mesh, inputs: [Sharding], outputs: [Sharding]) {
    self.mesh = mesh
    self.inputs = inputs
    self.outputs = outputs
  }

  /// Draws how a graph's inputs and outputs are spread over a mesh; the same seed draws the same.
  public init(drawing seed: UInt64, for graph: Graph, on mesh: Mesh) {
    var random = SampleRandom(seed: seed)
    func draw(_ type: TensorType) -> Sharding {
      var dimensions = [[String]](repeating: [], count: type.rank)
      for axis in mesh.axes where type.rank > 0 && random.next() % 4 != 0 {
        let dimension = Int(random.next() % UInt64(type.rank))
        guard type.shape[dimension].isMultiple(of: mesh.parts(dimensions[dimension] + [axis.name])) else {
          continue
        }
        dimensions[dimension].append(axis.name)
      }
      return Sharding(dimensions)
    }
    let inputs = graph.inputs.map { draw($0.value.type) }
    self.init(mesh, inputs: inputs, outputs: graph.outputs.map { draw($0.type) })
  }

  /// Runs one rank's program on all ranks, and the whole graph on the reference engine.
  ///
  /// - Parameter part: the program of one rank.
  /// - Returns: what differs from the whole, or `nil`.
  public func difference(
    _ part: Graph, _ whole: Graph, _ arguments: [ReferenceTensor], _ engine: any Engine = ReferenceEngine(),
    tolerance: Double? = nil
  ) throws -> String? {
    let expected = try ReferenceEngine.evaluate(whole, arguments)
    let (mesh, inputs) = (mesh, inputs)
    let results = try InProcessCommunicator.run(mesh.count) { communicator in
      let group = try MeshGroup(mesh, communicator)
      let options = CompileOptions(threads: 1, verify: true, group: group)
      let executable = try engine.compile(part, options: options)
      let buffers = try zip(arguments, inputs).map { argument, sharding in
        try Self.buffer(argument).shard(sharding, of: mesh, rank: communicator.rank)
      }
      let results = executable.outputTypes.map { HostBuffer($0) }
      // Twice: a program must not depend on what a run before it has left in its memory.
      try executable.run(buffers, into: results)
      try executable.run(buffers, into: results)
      let memory = executable.memory
      precondition(memory.measuredArenaBytes == memory.arenaBytes, "the arena's peak is not as planned")
      return results.map { ReferenceTensor($0) }
    }
    for (rank, own) in results.enumerated() {
      for (place, tensor) in own.enumerated() {
        let whole = Self.buffer(expected[place])
        let wanted = ReferenceTensor(
          try whole.shard(outputs[place], of: mesh, rank: rank, name: "output \(place)"))
        if let difference = EngineCheck.difference(tensor, wanted, tolerance) {
          return "rank \(rank) of \(mesh), output \(place) \(outputs[place]): \(difference)"
        }
      }
    }
    return nil
  }

  private static func buffer(_ tensor: ReferenceTensor) -> HostBuffer {
    let buffer = HostBuffer(tensor.type)
    tensor.store(to: buffer.pointer)
    return buffer
  }
}
