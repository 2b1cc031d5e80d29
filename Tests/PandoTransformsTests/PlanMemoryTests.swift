import PandoIR
import PandoOperations
import PandoTransforms
import Testing

@Suite struct PlanMemoryTests {
  /// x → a → b → c, one after another: two buffers, taken in turns, or one where the engine works in place.
  private func chain() throws -> Graph {
    var builder = GraphBuilder()
    var value = builder.input("x", TensorType([256]))
    for _ in 0..<5 { value = try builder.unary(.sine, value) }
    builder.setOutputs([value])
    return builder.graph
  }

  @Test func aChainTakesTurns() throws {
    let graph = try chain()
    let plan = PlanMemory.plan(graph, needs: graph.nodes.map { _ in PlanMemory.Needs() })
    #expect(plan.arenaBytes == 2 * 1024)
    #expect(plan.storage[graph.outputs[0].id] == .result(0))
  }

  @Test func aChainInPlaceNeedsOneBuffer() throws {
    let graph = try chain()
    let plan = PlanMemory.plan(graph, needs: graph.nodes.map { _ in PlanMemory.Needs(inPlace: [[0]]) })
    #expect(plan.arenaBytes == 1024)
  }

  @Test func aDonatedInputIsWrittenOver() throws {
    var builder = GraphBuilder()
    let (p, g) = (builder.input("p", TensorType([64])), builder.input("g", TensorType([64])))
    builder.setOutputs([try builder.subtract(p, g)])
    let plan = PlanMemory.plan(
      builder.graph, needs: [PlanMemory.Needs(inPlace: [[0, 1]])], donations: [0: 0])
    #expect(plan.storage[builder.graph.outputs[0].id] == .argument(0))
    #expect(plan.copies.isEmpty && plan.arenaBytes == 0)
  }

  /// The old parameter is still wanted after the new one is made, so the new one is made elsewhere and copied last.
  @Test func aDonatedInputThatIsStillReadIsCopiedAtTheEnd() throws {
    var builder = GraphBuilder()
    let (p, g) = (builder.input("p", TensorType([64])), builder.input("g", TensorType([64])))
    let new = try builder.subtract(p, g)
    builder.setOutputs([new, try builder.multiply(new, p)])
    let needs = builder.graph.nodes.map { _ in PlanMemory.Needs(inPlace: [[0, 1]]) }
    let plan = PlanMemory.plan(builder.graph, needs: needs, donations: [0: 0])
    #expect(plan.copies == [MemoryPlan.Copy(value: new.id, output: 0)])
    #expect(plan.storage[new.id] == .arena(offset: 0))
  }

  @Test func scheduleLetsReadersGoFirst() throws {
    var builder = GraphBuilder()
    let (p, g) = (builder.input("p", TensorType([64])), builder.input("g", TensorType([64])))
    let new = try builder.subtract(p, g)
    builder.setOutputs([new, try builder.multiply(p, g)])
    let graph = try Schedule(donations: [0: 0]).apply(builder.graph)
    #expect(graph.nodes.last?.results == [new])
    let plan = PlanMemory.plan(
      graph, needs: graph.nodes.map { _ in PlanMemory.Needs(inPlace: [[0, 1]]) }, donations: [0: 0])
    #expect(plan.copies.isEmpty)
  }

  @Test func aliasesShareBytes() throws {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([8, 8]))
    let a = try builder.unary(.sine, x)
    let b = try builder.reshape(a, [64])
    builder.setOutputs([try builder.reduce(.sum, b, [0])])
    let plan = PlanMemory.plan(builder.graph, needs: builder.graph.nodes.map { _ in PlanMemory.Needs() })
    #expect(plan.storage[a.id] == plan.storage[b.id])
    #expect(plan.arenaBytes == 256)
  }
}
