import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// What every composite owes beside what every operation owes.
@Suite struct CompositeTests {
  private static let composites = Samples.all.filter { $0.operation is any CompositeOperation }

  /// The types are stated and not derived, so that errors speak of the composite; they must be the decomposition's.
  @Test(arguments: composites) func decompositionHasTheStatedTypes(_ sample: OperationSample) throws {
    guard let composite = sample.operation as? any CompositeOperation else { return }
    let types = sample.operands.map(\.type)
    var builder = GraphBuilder()
    let inputs = types.enumerated().map { builder.input("\($0.offset)", $0.element) }
    let results = try composite.decompose(inputs, in: &builder)
    #expect(results.map(\.type) == (try composite.resultTypes(types)))
  }

  /// In a first derivative nothing depends on the cotangents of statistics: their terms are not emitted.
  @Test func unusedResultsCostNothingInTheGradient() throws {
    var forward = GraphBuilder()
    let x = forward.input("x", TensorType([4, 3]))
    let weight = forward.input("weight", TensorType([3]))
    let results = try forward.emit(BatchNorm(), operands: [x, weight, weight])
    forward.setOutputs([results[0]])
    var builder = GraphBuilder()
    let arguments = [builder.input("x", x.type), builder.input("weight", weight.type)]
    let dy = builder.input("dy", x.type)
    let gradients = try builder.reverse(
      forward.graph, arguments: arguments, cotangents: [dy], wanted: [0, 1]
    ).gradients
    builder.setOutputs(gradients.compactMap { $0 })
    let names = builder.graph.nodes.map { type(of: $0.operation).name }
    #expect(
      names.filter { $0 != "constant" && $0 != "broadcast" } == [
        "batch_norm", "batch_norm_gradient", "binary",
      ])
  }
}

/// The results of an operation on float64 operands, flattened.
func evaluated(
  _ operation: any PandoIR.Operation, _ operands: ([Int], [Double])...
) throws -> [[Double]] {
  let tensors = operands.map { ReferenceTensor(TensorType($0.0, .float64), reals: $0.1) }
  return try ReferenceEngine.evaluate(operation, tensors).map(\.doubles)
}

/// Whether two lists agree to `tolerance` in every place; NaN agrees with NaN.
func agree(_ actual: [Double], _ expected: [Double], _ tolerance: Double = 1e-8) -> Bool {
  actual.count == expected.count
    && zip(actual, expected).allSatisfy { abs($0 - $1) <= tolerance || ($0.isNaN && $1.isNaN) }
}
