import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import PandoTransforms
import Testing

/// Computing again changes when things are computed, and nothing else.
@Suite struct RematerializeTests {
  static let seeds = Array(UInt64(1)...24)

  private func expectSameBits(_ step: RandomTrainingStep, _ graph: Graph, _ transformed: Graph) throws {
    try transformed.verify()
    let expected = try ReferenceEngine.evaluate(graph, step.arguments)
    let actual = try ReferenceEngine.evaluate(transformed, step.arguments)
    for (a, b) in zip(actual, expected) { #expect(a.reals == b.reals) }
  }

  @Test(arguments: seeds) func policiesKeepTheBits(_ seed: UInt64) throws {
    let step = try RandomTrainingStep(seed: seed, layers: 8)
    let graph = try Simplify().apply(step.graph)
    for policy in [Rematerialize.Policy.blocks, .sqrt] {
      let changed = try Rematerialize(policy, loss: 0).apply(graph)
      try expectSameBits(step, graph, changed)
      try expectSameBits(step, graph, Fuse().apply(changed))
    }
  }

  @Test(arguments: seeds) func everyRungKeepsTheBits(_ seed: UInt64) throws {
    let step = try RandomTrainingStep(seed: seed, layers: 5)
    let graph = try Simplify().apply(step.graph)
    let ladder = RecomputeLadder(graph, loss: 0) { Double($0.results[0].type.byteCount) }
    #expect(ladder.count > 3)
    var last = 0.0
    for rung in 0..<ladder.count {
      #expect(ladder.extraSeconds(rung) >= last, "rung \(rung) is cheaper than the one before")
      last = ladder.extraSeconds(rung)
      let changed = try ladder.graph(rung)
      try expectSameBits(step, graph, changed)
      try expectSameBits(step, graph, Schedule(donations: step.donations).apply(Fuse().apply(changed)))
    }
  }

  /// Three layers of tanh(x w): what `blocks` keeps of them is worked out by hand.
  @Test func blocksKeepsWhatGoesFromLayerToLayer() throws {
    var builder = GraphBuilder()
    var x = builder.input("batch", TensorType([4, 8]))
    for layer in 0..<3 {
      let weight = builder.input("blocks.\(layer).weight", TensorType([8, 8]))
      let inner = try builder.unary(.hyperbolicTangent, builder.contract("ik,kj->ij", x, weight))
      x = try builder.add(builder.multiply(inner, inner), x)
    }
    builder.setOutputs([try builder.reduce(.sum, builder.multiply(x, x), [0, 1])])
    let gradient = try Simplify().apply(
      Differentiate.gradient(of: builder.graph, loss: 0, inputs: [1, 2, 3]))
    let changed = try Rematerialize(.blocks, loss: 0).apply(gradient)
    func count(_ graph: Graph, _ matches: (any PandoIR.Operation) -> Bool) -> Int {
      graph.nodes.count { matches($0.operation) }
    }
    // The first two layers are done again: a product and its tanh each. The last has the loss in it.
    #expect(count(gradient) { $0 is Contraction } + 2 == count(changed) { $0 is Contraction })
    #expect(count(changed) { ($0 as? Unary)?.function == .hyperbolicTangent } == 5)
    // Each of the two reads its layer's input and its weight behind a barrier.
    #expect(count(changed) { $0 is Barrier } == 4)
  }

  @Test func parametersOfOneLayerHaveOneModule() {
    #expect(LayerName.module(of: "blocks.3.mlp.up.weight") == "blocks.3")
    #expect(LayerName.module(of: "layer1.0.conv1.weight") == "layer1.0")
    #expect(LayerName.module(of: "head.weight") == "head")
    #expect(LayerName.module(of: "input") == nil)
  }
}
