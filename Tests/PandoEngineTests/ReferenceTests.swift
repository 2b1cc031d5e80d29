import PandoEngine
import PandoIR
import PandoOperations
import Testing

/// The judge itself, against values worked out by hand.
@Suite struct ReferenceTests {
  private func run(_ operation: any PandoIR.Operation, _ operands: ReferenceTensor...) throws
    -> ReferenceTensor
  {
    try ReferenceEngine.evaluate(operation, operands)[0]
  }

  private func floats(_ shape: [Int], _ values: [Double]) -> ReferenceTensor {
    ReferenceTensor(TensorType(shape), reals: values)
  }

  @Test func contraction() throws {
    let (a, b) = (floats([2, 3], [1, 2, 3, 4, 5, 6]), floats([3, 2], [1, 0, 0, 1, 1, 1]))
    #expect(try run(Contraction("ik,kj->ij"), a, b).reals == [4, 5, 10, 11])
    #expect(try run(Contraction("ik,kj->ji"), a, b).reals == [4, 10, 5, 11])
  }

  @Test func sumsAreRoundedOnce() throws {
    // In float32 1e8 + 1 is 1e8, so adding one after another would lose them all.
    let x = floats([101], [1e8] + Array(repeating: 1, count: 100))
    #expect(try run(Reduce(.sum, [0]), x).reals == [100_000_096])
  }

  @Test func wholeNumbers() throws {
    let type = TensorType([4], .int8)
    let x = ReferenceTensor(type, integers: [127, -128, 7, -7])
    let y = ReferenceTensor(type, integers: [1, -1, 0, 2])
    #expect(try run(Binary(.add), x, y).integers == [-128, 127, 7, -5])
    #expect(try run(Binary(.divide), x, y).integers == [127, -128, -1, -3])
    #expect(try run(Binary(.remainder), x, y).integers == [0, 0, 7, -1])
  }

  @Test func conversion() throws {
    let x = floats([5], [2.9, -2.9, 1e20, .nan, -1e20])
    #expect(try run(Convert(to: .int32), x).integers == [2, -2, 2_147_483_647, 0, -2_147_483_648])
    #expect(try run(Convert(to: .bool), floats([2], [0, 0.1])).integers == [0, 1])
  }

  @Test func anOperationWithoutSemanticsIsNamed() throws {
    struct Unknown: PandoIR.Operation {
      static let name = "unknown"
      static let operandCount: Int? = 1
      func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] { operands }
      func pullback(
        _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
      ) throws(TypeError) -> [Value?] { [nil] }
      func shardingRule(_ operands: [TensorType]) -> ShardingRule { .elementwise(rank: 1, operandCount: 1) }
    }
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([2]))
    builder.setOutputs([try builder.emit(Unknown(), x)])
    let graph = builder.graph
    let error = #expect(throws: EngineError.self) {
      try ReferenceEngine().compile(graph, options: CompileOptions())
    }
    #expect(error?.description.contains("unknown") == true)
  }
}
