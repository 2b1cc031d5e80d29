import PandoCPU
import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// What only depends on frozen inputs is computed once, until the program is told to compute it anew.
@Suite struct FrozenTests {
  private let window = ConvolutionWindow(spatial: 2, stride: 1, padding: 1, dilation: 1, groups: 1)

  /// relu(norm(x * w)) with every parameter frozen; the buffers are those of x, w and the norm's four.
  private func network() throws -> (executable: any Executable, arguments: [HostBuffer]) {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([1, 32, 8, 8]))
    let w = builder.input("w", TensorType([32, 32, 3, 3]))
    let parameters = ["weight", "bias", "mean", "variance"].map { builder.input($0, TensorType([32])) }
    let y = try builder.emit(Convolution(window), x, w)
    let normed = try builder.emit(BatchNormInference(), operands: [y] + parameters)[0]
    builder.setOutputs([try builder.emit(ReLU(), normed)])
    let executable = try CPUEngine().compile(
      builder.graph, options: CompileOptions(threads: 2, verify: true, frozen: Set(1...5)))
    let arguments = ([x, w] + parameters).map { value in
      HostBuffer(value.type, (0..<value.type.count).map { Float(($0 * 31) % 17) / 16 })
    }
    return (executable, arguments)
  }

  private func run(_ executable: any Executable, _ arguments: [HostBuffer]) throws -> [Float] {
    let result = HostBuffer(executable.outputTypes[0])
    try executable.run(arguments, into: [result])
    return Array(result.elements(as: Float.self))
  }

  /// The norm is in the weights and the rectifier in the convolution: one kernel runs a second time.
  @Test func onlyTheConvolutionRunsTwice() throws {
    let (executable, arguments) = try network()
    let result = HostBuffer(executable.outputTypes[0])
    var counts = [0, 0]
    for turn in 0..<2 { try executable.run(arguments, into: [result], timing: { _ in counts[turn] += 1 }) }
    #expect(counts[0] > counts[1])
    // On the way in and out the tensors change their layout.
    #expect(counts[1] == 3)
    #expect(executable.memory.measuredArenaBytes == executable.memory.arenaBytes)
  }

  @Test func changedWeightsCountAfterRefresh() throws {
    let (executable, arguments) = try network()
    let first = try run(executable, arguments)
    #expect(try run(executable, arguments) == first)
    arguments[2].pointer.assumingMemoryBound(to: Float.self)[5] = 3
    #expect(try run(executable, arguments) == first)
    executable.refresh()
    let changed = try run(executable, arguments)
    #expect(changed != first)
    let (fresh, _) = try network()
    #expect(try run(fresh, arguments) == changed)
  }

  /// Results of few places, with a bias, a short cut and a rectifier: on AVX-512 by the kernel that streams weights.
  @Test(arguments: [[1, 4, 4], [2, 3, 5], [1, 1, 1]]) func fewPlacesAgreeWithTheReference(_ size: [Int])
    throws
  {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([size[0], 32, size[1], size[2]]))
    let w = builder.input("w", TensorType([32, 32, 3, 3]))
    let bias = builder.input("bias", TensorType([32]))
    let y = try builder.emit(Convolution(window), x, w)
    let sum = try builder.add(builder.add(y, builder.broadcast(bias, to: y.type.shape, dimensions: [1])), x)
    builder.setOutputs([try builder.emit(ReLU(), sum)])
    let graph = builder.graph
    let executable = try CPUEngine().compile(
      graph, options: CompileOptions(threads: 2, verify: true, frozen: [1, 2]))
    let arguments = [x, w, bias].map { value in
      HostBuffer(value.type, (0..<value.type.count).map { Float(($0 * 37) % 23 - 11) / 16 })
    }
    let expected = try ReferenceEngine.evaluate(graph, arguments.map { ReferenceTensor($0) })
    let result = HostBuffer(executable.outputTypes[0])
    var kernels: [Int] = []
    for _ in 0..<2 {
      kernels = []
      try executable.run(arguments, into: [result], timing: { kernels.append($0.node) })
      #expect(EngineCheck.difference(ReferenceTensor(result), expected[0], 5e-6) == nil)
    }
    let convolutions = kernels.filter { executable.compiledGraph.nodes[$0].results[0].type.rank == 5 }
    // One that brings x into blocks, and the convolution with all that follows it.
    #expect(convolutions.count <= 2)
  }

  @Test func frozenInputsCannotBeDonated() throws {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([4]))
    builder.setOutputs([try builder.add(x, x)])
    #expect(throws: EngineError("x is donated, so it cannot be frozen too")) {
      try CPUEngine().compile(builder.graph, options: CompileOptions(donations: [0: 0], frozen: [0]))
    }
    #expect(throws: EngineError("input 3 is frozen, which the graph does not have")) {
      try CPUEngine().compile(builder.graph, options: CompileOptions(frozen: [3]))
    }
  }
}
