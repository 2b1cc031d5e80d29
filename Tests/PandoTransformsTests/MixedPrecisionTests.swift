import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import PandoTransforms
import Testing

/// Mixed precision: what is rounded, what is not, and that nothing outside sees it.
@Suite struct MixedPrecisionTests {
  static let seeds = Array(UInt64(1)...24)

  private func expectSameInterface(_ graph: Graph, _ mixed: Graph) throws {
    try mixed.verify()
    #expect(mixed.inputs.map(\.name) == graph.inputs.map(\.name))
    #expect(mixed.inputs.map(\.value.type) == graph.inputs.map(\.value.type))
    #expect(mixed.outputs.map(\.type) == graph.outputs.map(\.type))
  }

  @Test(arguments: seeds) func graphsStayValidAndNearTheirNumbers(_ seed: UInt64) throws {
    let drawn = RandomGraph(seed: seed)
    let mixed = try KeepSums().apply(MixedPrecision().apply(drawn.graph))
    try expectSameInterface(drawn.graph, mixed)
    let expected = try ReferenceEngine.evaluate(drawn.graph, drawn.arguments)
    let actual = try ReferenceEngine.evaluate(mixed, drawn.arguments)
    for (a, b) in zip(actual, expected) {
      // Each of up to 40 roundings on a path moves a value, which is at most about 1, by 2^-9 at most; the functions
      // between them hardly stretch. A comparison of near values may go the other way, so the mean is judged.
      let distance = zip(a.reals, b.reals).reduce(0) { $0 + abs($1.0 - $1.1) } / Double(max(1, a.reals.count))
      #expect(distance <= 40 * 0x1p-9)
    }
  }

  @Test(arguments: seeds) func gradientsHaveTheTypesOfTheInputs(_ seed: UInt64) throws {
    let drawn = RandomGraph(seed: seed, nodes: 25)
    var builder = GraphBuilder()
    var inputs: [Value] = []
    for input in drawn.graph.inputs { inputs.append(builder.input(input.name, input.value.type)) }
    let map = try builder.inline(drawn.graph, arguments: inputs)
    let last = map[drawn.graph.outputs[0].id]!
    builder.setOutputs([try builder.reduce(.sum, last, Array(0..<last.type.rank))])
    let mixed = try MixedPrecision().apply(builder.graph)
    let gradients = try KeepSums().apply(
      Differentiate.gradient(of: mixed, loss: 0, inputs: Array(inputs.indices)))
    try gradients.verify()
    #expect(gradients.outputs.dropFirst().map(\.type) == inputs.map(\.type))
    let results = try ReferenceEngine.evaluate(gradients, drawn.arguments)
    #expect(results.allSatisfy { $0.reals.allSatisfy(\.isFinite) })
  }

  /// Every way of calling every operation, on operands that come out of a product, which mixed precision rounds.
  @Test(arguments: Samples.all.indices) func everyOperationTakesWhatAProductGives(_ index: Int) throws {
    let sample = Samples.all[index]
    var builder = GraphBuilder()
    let one = try builder.constant(1, .scalar(.float32))
    var inputs: [Value] = []
    var operands: [Value] = []
    for (place, operand) in sample.operands.enumerated() {
      let input = builder.input("\(place)", operand.type)
      inputs.append(input)
      let labels = ShardingRule.labels(operand.type.rank)
      operands.append(
        operand.type.dtype == .float32
          ? try builder.emit(Contraction(lhs: labels, rhs: "", result: labels), input, one) : input)
    }
    let results = try builder.emit(sample.operation, operands: operands)
    builder.setOutputs(results)
    let graph = builder.graph
    let mixed = try MixedPrecision().apply(graph)
    try expectSameInterface(graph, mixed)
    let rule = sample.operation.precision
    guard let node = mixed.nodes.last(where: { type(of: $0.operation) == type(of: sample.operation) }) else {
      return
    }
    // What needs float32 gets it, unless it sums, which widens as it goes.
    if rule.kind == .full, !(node.operation is any Accumulating) {
      #expect(!node.operands.contains { $0.type.dtype == .bfloat16 } || hasNarrowOperands(sample))
    }
    for place in rule.kept where node.operands.indices.contains(place) {
      #expect(node.operands[place].type == sample.operands[place].type)
    }
  }

  private func hasNarrowOperands(_ sample: OperationSample) -> Bool {
    sample.operands.contains { $0.type.dtype == .bfloat16 }
  }

  /// A layer as they all are: product, bias, function, and a mean of squares as the loss.
  private func layer() throws -> Graph {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([8, 4]))
    let weight = builder.input("weight", TensorType([6, 4]))
    let bias = builder.input("bias", TensorType([6]))
    let product = try builder.contract("ik,jk->ij", x, weight)
    let sum = try builder.add(product, builder.broadcast(bias, to: [8, 6], dimensions: [1]))
    let y = try builder.emit(GELU(), sum)
    let loss = try builder.reduce(.sum, builder.multiply(y, y), [0, 1])
    builder.setOutputs([loss])
    return builder.graph
  }

  @Test func aLayerIsRoundedWhereItPays() throws {
    let mixed = try EliminateDeadCode().apply(MixedPrecision().apply(layer()))
    func types(_ wanted: any PandoIR.Operation.Type) -> [[DType]] {
      mixed.nodes.filter { type(of: $0.operation) == wanted }.map { node in
        (node.operands + node.results).map(\.type.dtype)
      }
    }
    #expect(types(Contraction.self) == [[.bfloat16, .bfloat16, .bfloat16]])
    #expect(types(GELU.self) == [[.bfloat16, .bfloat16]])
    #expect(types(Broadcast.self) == [[.bfloat16, .bfloat16]])
    #expect(types(Reduce.self) == [[.bfloat16, .float32]])
    // x, the weight and the bias; the bias is rounded before it is repeated.
    #expect(types(Convert.self).count == 3)
  }

  @Test func parametersGradientsAreSumsThatNothingRounded() throws {
    let mixed = try MixedPrecision().apply(layer())
    let gradients = try KeepSums().apply(Differentiate.gradient(of: mixed, loss: 0, inputs: [1, 2]))
    try gradients.verify()
    let producers = Dictionary(
      uniqueKeysWithValues: gradients.nodes.flatMap { node in node.results.map { ($0.id, node) } })
    for output in gradients.outputs.dropFirst() {
      let node = try #require(producers[output.id])
      #expect(node.operation is any Accumulating)
      #expect(node.operands.allSatisfy { $0.type.dtype == .bfloat16 })
      #expect(output.type.dtype == .float32)
    }
  }

  @Test func aSumThatSomeoneTakesRoundedIsRounded() throws {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([4, 4], .bfloat16))
    let product = try builder.contract("ik,kj->ij", x, x)
    let wide = try builder.convert(product, to: .float32)
    builder.setOutputs([wide, try builder.negate(product)])
    #expect(try KeepSums().apply(builder.graph).description == builder.graph.description)
    builder.setOutputs([wide, product])
    #expect(try KeepSums().apply(builder.graph).description == builder.graph.description)
    builder.setOutputs([wide])
    let kept = try KeepSums().apply(EliminateDeadCode().apply(builder.graph))
    #expect(kept.nodes.count == 1)
    #expect(kept.outputs[0].type == TensorType([4, 4]))
  }

  @Test func otherTypesAreLeftAlone() throws {
    for dtype in [DType.float64, .bfloat16, .float16] {
      let graph = RandomGraph(seed: 3, dtype: dtype).graph
      #expect(try MixedPrecision().apply(graph).description == graph.description)
    }
  }
}
