import PandoCPU
import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// Tensors that stay in blocks of channels hold the same numbers.
@Suite struct LayoutTests {
  static let seeds = Array(UInt64(1)...40)

  private func run(
    _ drawn: RandomConvolutions, fuse: Bool = true, exact: Bool = false, times: Int = 1
  ) throws -> [ReferenceTensor] {
    let executable = try CPUEngine().compile(
      drawn.graph, options: CompileOptions(threads: 2, verify: true, fuse: fuse, exact: exact))
    let buffers = drawn.arguments.map { argument in
      let buffer = HostBuffer(argument.type)
      argument.store(to: buffer.pointer)
      return buffer
    }
    let results = executable.outputTypes.map { HostBuffer($0) }
    for _ in 0..<times { try executable.run(buffers, into: results) }
    #expect(executable.memory.measuredArenaBytes == executable.memory.arenaBytes)
    return results.map { ReferenceTensor($0) }
  }

  @Test(arguments: seeds) func trainingAgreesWithTheReference(_ seed: UInt64) throws {
    let drawn = try RandomConvolutions(seed: seed)
    let expected = try ReferenceEngine.evaluate(drawn.graph, drawn.arguments)
    for (actual, wanted) in zip(try run(drawn, times: 2), expected) {
      #expect(EngineCheck.difference(actual, wanted, 5e-5) == nil)
    }
  }

  @Test(arguments: seeds) func inferenceAgreesWithTheReference(_ seed: UInt64) throws {
    let drawn = try RandomConvolutions(seed: seed, isTraining: false)
    let expected = try ReferenceEngine.evaluate(drawn.graph, drawn.arguments)
    for (actual, wanted) in zip(try run(drawn, times: 2), expected) {
      #expect(EngineCheck.difference(actual, wanted, 5e-5) == nil)
    }
  }

  /// More samples than the reference engine would bear, and Winograd's method on the way.
  @Test(arguments: seeds) func arrangedAgreesWithPlain(_ seed: UInt64) throws {
    let drawn = try RandomConvolutions(seed: seed, batch: 33)
    for (actual, wanted) in zip(try run(drawn), try run(drawn, fuse: false)) {
      #expect(EngineCheck.difference(actual, wanted, 2e-4) == nil)
    }
  }

  @Test(arguments: seeds) func repeatedRunsHaveTheSameBits(_ seed: UInt64) throws {
    let drawn = try RandomConvolutions(seed: seed, batch: 9)
    #expect(try run(drawn).map(\.reals) == run(drawn, times: 2).map(\.reals))
  }
}
