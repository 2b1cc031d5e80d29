import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import PandoTransforms
import Testing

@Suite struct DifferentiateTests {
  private func scalarGraph(_ body: (inout GraphBuilder, Value) throws -> Value) throws -> Graph {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([4], .float64))
    builder.setOutputs([try body(&builder, x)])
    return builder.graph
  }

  private let x = ReferenceTensor(TensorType([4], .float64), reals: [0.5, -1, 2, 0.1])

  @Test func gradientOfASumOfCubes() throws {
    let graph = try scalarGraph { builder, x in
      try builder.reduce(.sum, builder.multiply(x, builder.multiply(x, x)), [0])
    }
    let result = try ReferenceEngine.evaluate(Differentiate.gradient(of: graph, loss: 0, inputs: [0]), [x])
    #expect(result[1].reals.elementsEqual([0.75, 3, 12, 0.03], by: { abs($0 - $1) < 1e-12 }))
  }

  /// The gradient of the sum of the gradient: second derivatives are the same pass, twice.
  @Test func secondDerivative() throws {
    let graph = try scalarGraph { builder, x in
      try builder.reduce(.sum, builder.multiply(x, builder.multiply(x, x)), [0])
    }
    let first = try Differentiate.gradient(of: graph, loss: 0, inputs: [0])
    var builder = GraphBuilder()
    let input = builder.input("x", TensorType([4], .float64))
    let values = try builder.inline(first, arguments: [input])
    builder.setOutputs([try builder.reduce(.sum, values[first.outputs[1].id]!, [0])])
    let second = try Differentiate.gradient(of: builder.graph, loss: 0, inputs: [0])
    let result = try ReferenceEngine.evaluate(second, [x])
    #expect(result[1].reals.elementsEqual([3, -6, 12, 0.6], by: { abs($0 - $1) < 1e-12 }))
  }

  @Test func anInputWithoutInfluenceHasZeroGradient() throws {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([2]))
    _ = builder.input("unused", TensorType([3]))
    builder.setOutputs([try builder.reduce(.sum, x, [0])])
    let graph = try Differentiate.gradient(of: builder.graph, loss: 0, inputs: [0, 1])
    let arguments = [2, 3].map { ReferenceTensor(TensorType([$0]), reals: Array(repeating: 1, count: $0)) }
    let result = try ReferenceEngine.evaluate(graph, arguments)
    #expect(result[1].reals == [1, 1] && result[2].reals == [0, 0, 0])
  }

  @Test func aLossThatIsNoScalarIsRefused() throws {
    let graph = try scalarGraph { _, x in x }
    let error = #expect(throws: TypeError.self) {
      try Differentiate.gradient(of: graph, loss: 0, inputs: [0])
    }
    #expect(error?.description.contains("float64[4]") == true)
  }

  @Test func integersHaveNoGradient() throws {
    var builder = GraphBuilder()
    let labels = builder.input("labels", TensorType([2], .int32))
    builder.setOutputs([try builder.reduce(.sum, builder.convert(labels, to: .float32), [0])])
    let graph = builder.graph
    let error = #expect(throws: TypeError.self) {
      try Differentiate.gradient(of: graph, loss: 0, inputs: [0])
    }
    #expect(error?.description.contains("labels is int32[2]") == true)
  }
}
