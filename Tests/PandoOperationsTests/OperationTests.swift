import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// What every operation owes, whoever wrote it.
@Suite struct OperationTests {
  @Test func everyOperationHasSamples() {
    let sampled = Set(Samples.all.map { type(of: $0.operation).name })
    #expect(Catalogue.standard.operations.map { $0.name }.filter { !sampled.contains($0) } == [])
    #expect(Set(Catalogue.standard.operations.map { $0.name }).count == Catalogue.standard.operations.count)
    #expect(sampled.filter { Catalogue.standard.operation(named: $0) == nil } == [])
  }

  @Test(arguments: Samples.all) func gradientMatchesFiniteDifferences(_ sample: OperationSample) throws {
    guard sample.checksGradient else { return }
    #expect(try GradientCheck.difference(sample) == nil)
  }

  /// Gradients are made of operations that have gradients themselves.
  @Test(arguments: Samples.all) func secondDerivativeMatchesFiniteDifferences(
    _ sample: OperationSample
  ) throws {
    guard sample.checksGradient else { return }
    #expect(try GradientCheck.secondDifference(sample) == nil)
  }

  @Test(arguments: Samples.all) func shardingRuleHolds(_ sample: OperationSample) throws {
    #expect(try ShardingCheck.difference(sample) == nil)
  }

  @Test(arguments: Samples.all) func textFormReadsBack(_ sample: OperationSample) throws {
    var builder = GraphBuilder()
    let inputs = sample.operands.enumerated().map { builder.input("operand\($0.offset)", $0.element.type) }
    builder.setOutputs(try builder.emit(sample.operation, operands: inputs))
    let text = builder.graph.description
    let again = try Graph(parsing: text, operations: Catalogue.standard.operations)
    #expect(again.description == text)
    #expect(AnyHashable(again.nodes[0].operation) == AnyHashable(sample.operation))
  }

  @Test(arguments: Samples.all) func costIsNeverNegative(_ sample: OperationSample) throws {
    let operands = sample.operands.map(\.type)
    let cost = sample.operation.cost(operands, try sample.operation.resultTypes(operands))
    #expect(cost.flops >= 0 && cost.bytes >= 0)
  }
}
