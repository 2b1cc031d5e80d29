import PandoCPU
import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import PandoTransforms
import Testing

/// Random graphs on the CPU engine: fused, one by one, and with donated inputs.
@Suite struct PropertyTests {
  static let seeds = Array(UInt64(1)...40)

  @Test(arguments: seeds) func fusedAgreesWithTheReference(_ seed: UInt64) throws {
    let drawn = RandomGraph(seed: seed, nodes: 60)
    #expect(try EngineCheck.difference(drawn.graph, drawn.arguments, CPUEngine(), tolerance: 2e-5) == nil)
  }

  @Test(arguments: seeds) func fusedEqualsUnfused(_ seed: UInt64) throws {
    let drawn = RandomGraph(seed: seed, nodes: 60)
    try expectFusedEqualsUnfused(drawn.graph, drawn.arguments)
  }

  /// Roundings to 16 bits inside a sweep fall where they would between sweeps.
  @Test(arguments: seeds) func fusedEqualsUnfusedInMixedPrecision(_ seed: UInt64) throws {
    let drawn = RandomGraph(seed: seed, nodes: 60)
    try expectFusedEqualsUnfused(MixedPrecision().apply(drawn.graph), drawn.arguments)
  }

  private func expectFusedEqualsUnfused(_ graph: Graph, _ arguments: [ReferenceTensor]) throws {
    let buffers = arguments.map { argument in
      let buffer = HostBuffer(argument.type)
      argument.store(to: buffer.pointer)
      return buffer
    }
    var runs: [[ReferenceTensor]] = []
    for fuse in [true, false] {
      let executable = try CPUEngine().compile(
        graph, options: CompileOptions(threads: 2, verify: true, fuse: fuse))
      let results = executable.outputTypes.map { HostBuffer($0) }
      try executable.run(buffers, into: results)
      runs.append(results.map { ReferenceTensor($0) })
    }
    for (a, b) in zip(runs[0], runs[1]) { #expect(EngineCheck.difference(a, b, 1e-6) == nil) }
  }

  /// One thread and two give the same bits: training must not depend on how many there are.
  @Test(arguments: seeds) func threadsDoNotChangeTheBits(_ seed: UInt64) throws {
    let drawn = RandomGraph(seed: seed, nodes: 60)
    let buffers = drawn.arguments.map { argument in
      let buffer = HostBuffer(argument.type)
      argument.store(to: buffer.pointer)
      return buffer
    }
    var runs: [[[Double]]] = []
    for threads in [1, 2] {
      let executable = try CPUEngine().compile(drawn.graph, options: CompileOptions(threads: threads))
      let results = executable.outputTypes.map { HostBuffer($0) }
      try executable.run(buffers, into: results)
      runs.append(results.map(\.doubles))
    }
    #expect(runs[0] == runs[1])
  }

  /// Outputs that take over inputs have the same numbers as outputs that do not.
  @Test(arguments: seeds) func donationKeepsTheNumbers(_ seed: UInt64) throws {
    let drawn = RandomGraph(seed: seed, nodes: 60)
    let expected = try ReferenceEngine.evaluate(drawn.graph, drawn.arguments)
    var donations: [Int: Int] = [:]
    for (place, input) in drawn.graph.inputs.enumerated() {
      let free = drawn.graph.outputs.indices.first { output in
        !donations.values.contains(output) && drawn.graph.outputs[output].type == input.value.type
          && !drawn.graph.inputs.contains { $0.value == drawn.graph.outputs[output] }
      }
      if let free { donations[place] = free }
    }
    let arguments = drawn.arguments.map { argument in
      let buffer = HostBuffer(argument.type)
      argument.store(to: buffer.pointer)
      return buffer
    }
    let executable = try CPUEngine().compile(
      drawn.graph, options: CompileOptions(threads: 2, donations: donations, verify: true))
    let donors = Dictionary(uniqueKeysWithValues: donations.map { ($0.value, $0.key) })
    let results = drawn.graph.outputs.enumerated().map { place, output in
      donors[place].map { arguments[$0] } ?? HostBuffer(output.type)
    }
    try executable.run(arguments, into: results)
    for (result, reference) in zip(results, expected) {
      #expect(EngineCheck.difference(ReferenceTensor(result), reference, 2e-5) == nil)
    }
    #expect(executable.memory.measuredArenaBytes == executable.memory.arenaBytes)
  }
}
