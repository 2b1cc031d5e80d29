import Pando
import Synchronization
import Testing

@Suite struct CompileTests {
  @Test func aFunctionIsTracedOnceForEachType() throws {
    let traces = Mutex(0)
    let double = compile { inputs in
      traces.withLock { $0 += 1 }
      return [inputs[0] * 2]
    }
    for value in 1...3 { #expect(try double([Tensor([Float(value)])])[0].floats() == [Float(2 * value)]) }
    #expect(traces.withLock { $0 } == 1)
    #expect(try double([Tensor([1, 2])])[0].floats() == [2, 4])
    #expect(traces.withLock { $0 } == 2)
  }

  @Test func knownNumbersComeAlong() throws {
    let weights = Tensor([1, 2, 3])
    let weigh = compile { [($0[0] * weights).sum()] }
    #expect(try weigh([Tensor([1, 1, 1])])[0].scalar() == 6)
    #expect(try weigh([Tensor([2, 0, 1])])[0].scalar() == 5)
  }

  /// A program's state lives in the caller's buffers: a donated input is updated where it is.
  @Test func aProgramUpdatesItsStateInPlace() throws {
    let state = Tensor.placeholder("state", TensorType([2]))
    let change = Tensor.placeholder("change", TensorType([2]))
    let program = try Program([state + change], inputs: [state, change], donations: [0: 0])
    let buffer = HostBuffer(TensorType([2]), [Float(1), 2])
    program.bind([buffer, HostBuffer(TensorType([2]), [Float(10), 20])], into: [buffer])
    for _ in 0..<3 { try program.run() }
    #expect(buffer.elements(as: Float.self) == [31, 62])
    #expect(program.memory.measuredPeakBytes == program.memory.plannedPeakBytes)
    #expect(program.memory.plannedPeakBytes == 16)
  }

  @Test func aProgramNamesWhatItLacks() {
    let (a, b) = (Tensor.placeholder("a", TensorType([2])), Tensor.placeholder("b", TensorType([2])))
    let error = #expect(throws: EngineError.self) { try Program([a + b], inputs: [a]) }
    #expect(error?.description.contains("b") == true)
  }

  /// What a wrong number came from is found operation by operation.
  @Test func aTraceSeesEveryOperation() throws {
    let x = Tensor.placeholder("x", TensorType([1]))
    let program = try Program([log(x) + 1], inputs: [x], fuse: false)
    program.bind([HostBuffer(TensorType([1]), [Float(-1)])], into: [HostBuffer(TensorType([1]))])
    var first: String?
    try program.trace { node, results in
      if first == nil, !results[0].doubles[0].isFinite { first = "\(node.operation)" }
    }
    #expect(first == "fusion of logarithm")
  }

  /// Taking times changes no result, tells of every kernel once, in order, and of nothing outside the run.
  @Test(arguments: ["cpu", "reference"]) func timesAreTakenOfEveryOperation(device: String) throws {
    let device = try Device(named: device, threads: 2)
    let (x, w) = (Tensor.placeholder("x", TensorType([5, 7])), Tensor.placeholder("w", TensorType([7, 3])))
    let program = try Program([softmax(matmul(tanh(x), w)), x.sum()], inputs: [x, w], on: device)
    let arguments = [x, w].map { HostBuffer($0.type, (0..<$0.type.count).map { Float($0 % 5) - 2 }) }
    func results(_ run: () throws -> Void) throws -> [[Float]] {
      let buffers = [HostBuffer(TensorType([5, 3])), HostBuffer(.scalar(.float32))]
      program.bind(arguments, into: buffers)
      try run()
      return buffers.map { $0.elements(as: Float.self) }
    }
    let plain = try results { try program.run() }
    var times: [OperationTime] = []
    let before = ContinuousClock.now
    let timed = try results { try program.run { times.append($0) } }
    let after = ContinuousClock.now
    #expect(plain == timed)
    let kernels = program.compiledGraph.nodes.indices.filter {
      !program.compiledGraph.nodes[$0].operation.traits.contains(.alias)
    }
    #expect(!kernels.isEmpty && Set(kernels).isSubset(of: times.map(\.node)))
    #expect(times.map(\.node) == times.map(\.node).sorted())
    let moments = [before] + times.flatMap { [$0.start, $0.end] } + [after]
    #expect(zip(moments, moments.dropFirst()).allSatisfy { $0 <= $1 })
  }

  /// A product of 5×7 and 7×3 is 2·5·7·3 operations, and its two gradients as many each; what else there is, is none. The
  /// forward pass, of which the gradient has a copy, counts once.
  @Test func productsAreCounted() throws {
    let (x, w) = (Tensor.placeholder("x", TensorType([5, 7])), Tensor.placeholder("w", TensorType([7, 3])))
    let loss = softmax(matmul(tanh(x), w)).sum()
    let program = try Program([loss] + gradient(of: loss, at: [x, w]), inputs: [x, w])
    #expect(program.productFlops == 3 * 2 * 5 * 7 * 3)
  }
}
