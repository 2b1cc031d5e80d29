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
    _ drawn: RandomConvolutions, fuse: Bool = true, exact: Bool = false, times: Int = 1, frozen: Set<Int> = []
  ) throws -> [ReferenceTensor] {
    let executable = try CPUEngine().compile(
      drawn.graph,
      options: CompileOptions(threads: 2, verify: true, fuse: fuse, exact: exact, frozen: frozen))
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

  /// A sum that leaves bfloat16 for float32 does so whatever the layout of what it adds up.
  @Test func sumsStayFloat32() throws {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([2, 16, 6, 6], .bfloat16))
    let w = builder.input("w", TensorType([32, 16, 3, 3], .bfloat16))
    let window = ConvolutionWindow(spatial: 2, stride: 1, padding: 1, dilation: 1, groups: 1)
    let y = try builder.emit(Convolution(window), x, w)
    builder.setOutputs([try builder.emit(Reduce(.sum, [2, 3], dtype: .float32), y)])
    let graph = builder.graph
    var random = SampleRandom(seed: 5)
    let arguments = graph.inputs.map { input in
      ReferenceTensor(input.value.type, real: { _ in random.unit() - 0.5 }, integer: { _ in 0 })
    }
    let expected = try ReferenceEngine.evaluate(graph, arguments)
    let executable = try CPUEngine().compile(graph, options: CompileOptions(threads: 2, verify: true))
    let buffers = arguments.map { argument in
      let buffer = HostBuffer(argument.type)
      argument.store(to: buffer.pointer)
      return buffer
    }
    let result = HostBuffer(TensorType([2, 32], .float32))
    try executable.run(buffers, into: [result])
    #expect(executable.outputTypes == [result.type])
    // Each of the 36 terms was rounded to bfloat16, whose step is at most 2^-8 of a term; terms are below 8.
    #expect(EngineCheck.difference(ReferenceTensor(result), expected[0], 36 * 0x1p-8) == nil)
  }

  /// Rounded in other places, but no further from what float32 gives for the same numbers.
  @Test(arguments: seeds) func bfloat16IsAsNearAsPlain(_ seed: UInt64) throws {
    let drawn = try RandomConvolutions(seed: seed, batch: 4, dtype: .bfloat16, isTraining: false)
    var wide = try RandomConvolutions(seed: seed, batch: 4, isTraining: false)
    wide.arguments = drawn.arguments.map { argument in
      ReferenceTensor(argument.type.with(dtype: .float32), reals: argument.reals)
    }
    let truth = try run(wide, fuse: false, exact: true)[1].reals
    func distance(_ terms: [Double]) -> Double {
      zip(terms, truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    }
    let size = truth.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let (arranged, plain) = (try run(drawn)[1].reals, try run(drawn, fuse: false)[1].reals)
    #expect(distance(arranged) <= 1.5 * distance(plain) + 0x1p-9 * size)
    #expect(distance(plain) <= 0x1p-3 * size)
  }

  /// All inputs but the images stay: norms are folded into weights, which are packed in the first run.
  @Test(arguments: seeds) func frozenWeightsAgreeWithTheReference(_ seed: UInt64) throws {
    let drawn = try RandomConvolutions(seed: seed, isTraining: false)
    let expected = try ReferenceEngine.evaluate(drawn.graph, drawn.arguments)
    let frozen = Set(1..<drawn.arguments.count)
    for (actual, wanted) in zip(try run(drawn, times: 2, frozen: frozen), expected) {
      #expect(EngineCheck.difference(actual, wanted, 5e-5) == nil)
    }
  }
}
