import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import PandoTransforms
import Testing

extension PartitionCheck {
  /// How partitioning is told what this check expects.
  func partitioning(_ priority: Placement.Priority = .weights, bucketBytes: Int = 1024) -> Partitioning {
    Partitioning(
      mesh, inputs: inputs.map { Placement($0, priority) }, outputs: outputs.map { Placement($0, priority) },
      bucketBytes: bucketBytes)
  }
}

/// A partitioned program computes what the whole one computes, whatever graph is spread in whatever way.
@Suite struct PartitionPropertyTests {
  /// From one rank to eight.
  static let meshes: [KeyValuePairs<String, Int>] = [
    ["a": 1], ["a": 2], ["a": 3], ["a": 2, "b": 2], ["a": 5], ["a": 2, "b": 3], ["a": 7],
    ["a": 2, "b": 2, "c": 2],
  ]
  static let seeds = Array(UInt64(1)...32)

  @Test(arguments: seeds) func randomGraphsKeepTheirNumbers(_ seed: UInt64) throws {
    let mesh = try Mesh(Self.meshes[Int(seed) % Self.meshes.count])
    // In float64, where another order of additions cannot turn a comparison around.
    let drawn = RandomGraph(seed: seed, nodes: 30, dtype: .float64)
    let check = PartitionCheck(drawing: seed, for: drawn.graph, on: mesh)
    let part = try Partition(check.partitioning()).apply(drawn.graph)
    try part.verify()
    #expect(try check.difference(part, drawn.graph, drawn.arguments) == nil)
  }

  @Test(arguments: seeds) func trainingStepsKeepTheirNumbers(_ seed: UInt64) throws {
    let mesh = try Mesh(Self.meshes[Int(seed) % Self.meshes.count])
    let step = try RandomTrainingStep(seed: seed, layers: 3)
    let check = PartitionCheck(drawing: seed, for: step.graph, on: mesh)
    let part = try Partition(check.partitioning()).apply(step.graph)
    try part.verify()
    #expect(try check.difference(part, step.graph, step.arguments, tolerance: 2e-5) == nil)
  }

  @Test(arguments: seeds.prefix(12)) func overlappedStepsAreValid(_ seed: UInt64) throws {
    let mesh = try Mesh(["a": 2, "b": 3])
    let step = try RandomTrainingStep(seed: seed, layers: 3)
    let check = PartitionCheck(drawing: seed, for: step.graph, on: mesh)
    let passes: [any Pass] = [Partition(check.partitioning()), Schedule(), Overlap()]
    let part = try step.graph.applying(passes, verify: true)
    let begun = part.nodes.count { ($0.operation as? any ExchangeOperation)?.channel != nil }
    #expect(begun == part.nodes.count { $0.operation is any ExchangeEnd })
    #expect(try check.difference(part, step.graph, step.arguments, tolerance: 2e-5) == nil)
  }
}
