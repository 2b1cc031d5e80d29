import PandoCPU
import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import PandoTransforms
import Testing

/// Partitioned programs on the CPU engine: several ranks as threads of this process, exchanges beside computations.
@Suite struct PartitionTests {
  static let meshes: [KeyValuePairs<String, Int>] = [
    ["a": 2], ["a": 2, "b": 2], ["a": 2, "b": 3], ["a": 8],
  ]

  @Test(arguments: Array(UInt64(1)...16)) func trainingStepsAgreeWithTheReference(_ seed: UInt64) throws {
    let mesh = try Mesh(Self.meshes[Int(seed) % Self.meshes.count])
    let step = try RandomTrainingStep(seed: seed, layers: 3, rows: 24, features: 16)
    let check = PartitionCheck(drawing: seed, for: step.graph, on: mesh)
    let partitioning = Partitioning(
      mesh, inputs: check.inputs.map { Placement($0) }, outputs: check.outputs.map { Placement($0) },
      bucketBytes: 2048)
    let part = try Partition(partitioning).apply(step.graph)
    #expect(
      try check.difference(part, step.graph, step.arguments, CPUEngine(), tolerance: 2e-5) == nil)
  }

  /// Every exchange among several ranks, along each dimension.
  @Test(arguments: 0..<3) func exchangesAgreeWithTheReference(_ dimension: Int) throws {
    let mesh = try Mesh(["a": 2, "b": 3])
    for axes in [["a"], ["b"], ["a", "b"]] {
      let parts = mesh.parts(axes)
      let other = (dimension + 1) % 3
      let operations: [any PandoIR.Operation] = [
        AllReduce(axes: axes, parts: parts), AllReduce(.maximum, axes: axes, parts: parts),
        AllGather(dimension, axes: axes, parts: parts), ReduceScatter(dimension, axes: axes, parts: parts),
        ReduceScatter(dimension, .minimum, axes: axes, parts: parts),
        AllToAll(cut: dimension, joined: other, axes: axes, parts: parts),
        AllToAll(cut: dimension, joined: dimension, axes: axes, parts: parts),
        CollectivePermute(shift: dimension - 1, axes: axes, parts: parts),
        ShardSlice(dimension, axes: axes, parts: parts),
      ]
      for operation in operations {
        var builder = GraphBuilder()
        let x = builder.input("x", TensorType([6, 12, 6]))
        builder.setOutputs(try builder.emit(operation, operands: [x]))
        let graph = builder.graph
        let results = try [ReferenceEngine() as any Engine, CPUEngine()].map { engine in
          try InProcessCommunicator.run(mesh.count) { communicator in
            let options = CompileOptions(
              threads: 1, verify: true, group: try MeshGroup(mesh, communicator))
            let executable = try engine.compile(graph, options: options)
            let argument = HostBuffer(x.type)
            var random = SampleRandom(seed: UInt64(communicator.rank))
            ReferenceTensor(x.type, reals: (0..<x.type.count).map { _ in random.unit() })
              .store(to: argument.pointer)
            let result = HostBuffer(executable.outputTypes[0])
            try executable.run([argument], into: [result])
            return ReferenceTensor(result)
          }
        }
        for (rank, (expected, actual)) in zip(results[0], results[1]).enumerated() {
          #expect(
            EngineCheck.difference(actual, expected) == nil,
            "\(type(of: operation).name) along \(axes), rank \(rank)")
        }
      }
    }
  }
}
