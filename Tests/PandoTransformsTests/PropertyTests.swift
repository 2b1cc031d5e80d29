import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import PandoTransforms
import Testing

/// Every pass gives a valid graph that computes the same numbers, whatever graph it is given.
@Suite struct PropertyTests {
  static let seeds = Array(UInt64(1)...24)

  private func expectSame(_ drawn: RandomGraph, _ transformed: Graph) throws {
    try transformed.verify()
    let expected = try ReferenceEngine.evaluate(drawn.graph, drawn.arguments)
    let actual = try ReferenceEngine.evaluate(transformed, drawn.arguments)
    for (a, b) in zip(actual, expected) { #expect(EngineCheck.difference(a, b) == nil) }
  }

  @Test(arguments: seeds) func simplifyKeepsTheNumbers(_ seed: UInt64) throws {
    let drawn = RandomGraph(seed: seed)
    try expectSame(drawn, Simplify().apply(drawn.graph))
  }

  @Test(arguments: seeds) func fuseKeepsTheNumbers(_ seed: UInt64) throws {
    let drawn = RandomGraph(seed: seed)
    let fused = try Fuse().apply(drawn.graph)
    try expectSame(drawn, fused)
    #expect(!fused.nodes.contains { $0.operation.traits.contains(.elementwise) && !($0.operation is Fusion) })
    #expect(fused.nodes.count < drawn.graph.nodes.count)
  }

  @Test(arguments: seeds) func fusingOneByOneKeepsTheNumbers(_ seed: UInt64) throws {
    let drawn = RandomGraph(seed: seed)
    try expectSame(drawn, Fuse(merge: false).apply(drawn.graph))
  }

  @Test(arguments: seeds) func scheduleKeepsTheNumbers(_ seed: UInt64) throws {
    let drawn = RandomGraph(seed: seed)
    try expectSame(drawn, Schedule().apply(Simplify().apply(drawn.graph)))
  }

  @Test(arguments: seeds) func textFormReadsBack(_ seed: UInt64) throws {
    let drawn = RandomGraph(seed: seed)
    let again = try Graph(parsing: drawn.graph.description, operations: Catalogue.standard.operations)
    #expect(again.description == drawn.graph.description)
    let fused = try Fuse().apply(drawn.graph)
    let operations = Catalogue.standard.operations + [Fusion.self]
    #expect(try Graph(parsing: fused.description, operations: operations).description == fused.description)
  }

  @Test(arguments: seeds) func gradientMatchesFiniteDifferences(_ seed: UInt64) throws {
    // Kinks (maximum, absolute, select) are passed over by drawing again where a difference is large.
    let drawn = RandomGraph(seed: seed, nodes: 20, dtype: .float64)
    let kinks = drawn.graph.nodes.contains { node in
      node.operation is Compare || (node.operation as? Unary)?.function == .absolute
        || [Binary.Function.maximum, .minimum].contains((node.operation as? Binary)?.function)
    }
    if kinks { return }
    #expect(try GradientCheck.difference(drawn.graph, drawn.arguments) == nil)
  }

  @Test(arguments: seeds) func planNeverSharesLiveBytes(_ seed: UInt64) throws {
    let graph = try Schedule().apply(Fuse().apply(Simplify().apply(RandomGraph(seed: seed, nodes: 80).graph)))
    let needs = graph.nodes.enumerated().map { index, node in
      PlanMemory.Needs(workspaceBytes: index % 3 == 0 ? 100 : 0, inPlace: node.results.map { _ in [] })
    }
    let plan = PlanMemory.plan(graph, needs: needs)
    for (i, a) in plan.intervals.enumerated() {
      #expect(
        a.offset >= 0 && a.offset + a.byteCount <= plan.arenaBytes && a.offset % MemoryPlan.alignment == 0)
      for b in plan.intervals[(i + 1)...] {
        let together = a.first <= b.last && b.first <= a.last
        let overlap = a.offset < b.offset + b.byteCount && b.offset < a.offset + a.byteCount
        #expect(!(together && overlap), "\(a) and \(b) share bytes while both are alive")
      }
    }
    #expect(plan.timeline(nodeCount: graph.nodes.count).allSatisfy { $0 <= plan.arenaBytes })
  }
}

/// What a sweep only widens is widened again by the sweep that wants it, and never kept wide.
@Suite struct WideningTests {
  @Test(arguments: PropertyTests.seeds) func mixedGraphsFuseToTheSameNumbers(_ seed: UInt64) throws {
    let drawn = RandomGraph(seed: seed)
    let mixed = try Simplify().apply(MixedPrecision().apply(drawn.graph))
    let fused = try Fuse().apply(mixed)
    try fused.verify()
    let expected = try ReferenceEngine.evaluate(mixed, drawn.arguments)
    let actual = try ReferenceEngine.evaluate(fused, drawn.arguments)
    for (a, b) in zip(actual, expected) { #expect(EngineCheck.difference(a, b) == nil) }
  }

  @Test func twoSweepsHaveA16BitTensorBetweenThem() throws {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([4, 8], .bfloat16))
    let w = builder.input("w", TensorType([8, 8], .bfloat16))
    let slope = try builder.unary(.hyperbolicTangent, x)
    let product = try builder.contract("ik,kj->ij", slope, w)
    let wide = try builder.multiply(
      builder.convert(slope, to: .float32), builder.convert(product, to: .float32))
    builder.setOutputs([wide])
    let fused = try Fuse().apply(builder.graph)
    try fused.verify()
    let kept = fused.nodes.flatMap(\.results).filter { !fused.outputs.contains($0) }
    #expect(kept.allSatisfy { $0.type.dtype == .bfloat16 })
    #expect(fused.nodes.count == 3)
  }
}
