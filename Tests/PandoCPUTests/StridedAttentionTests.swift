import PandoCPU
import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import PandoTransforms
import Testing

/// Attention inside of the tensors around it: the same numbers without a copy of queries, keys, values or gradients.
@Suite struct StridedAttentionTests {
  private static let (batch, rows, width) = (2, 70, 16)

  /// Attention of a joint tensor of queries, keys and values, as a transformer's block has it, and its gradient.
  ///
  /// - Parameter sharing: how many heads share a key head.
  private func block(
    _ dtype: DType = .float32, heads: Int = 4, sharing: Int = 1, joint: Bool = true, causal: Bool = true
  ) throws -> Graph {
    var builder = GraphBuilder()
    let (batch, rows, width) = (Self.batch, Self.rows, Self.width)
    let counts = [heads, heads / sharing, heads / sharing]
    var parts: [Value] = []
    if joint {
      let x = builder.input("x", TensorType([batch, rows, counts.reduce(0, +) * width], dtype))
      var start = 0
      for count in counts {
        let end = start + count * width
        parts.append(
          try builder.emit(
            Slice(starts: [0, 0, start], limits: [batch, rows, end], strides: [1, 1, 1]), x))
        start = end
      }
    } else {
      for (name, count) in zip(["q", "k", "v"], counts) {
        parts.append(builder.input(name, TensorType([batch, rows, count * width], dtype)))
      }
    }
    let operands = try zip(parts, counts).map { part, count in
      try builder.transpose(builder.reshape(part, [batch, rows, count, width]), [0, 2, 1, 3])
    }
    let attended = try builder.emit(Attention(causal: causal), operands: operands)[0]
    let merged = try builder.reshape(
      builder.transpose(attended, [0, 2, 1, 3]), [batch, rows, heads * width])
    let wide = try builder.convert(merged, to: .float32)
    builder.setOutputs([try builder.reduce(.sum, builder.unary(.sine, wide), [0, 1, 2])])
    return try Differentiate.gradient(
      of: builder.graph, loss: 0, inputs: Array(0..<(joint ? 1 : 3)))
  }

  private func compiled(_ graph: Graph) throws -> [String] {
    try CPUEngine().compile(graph, options: CompileOptions(threads: 2, verify: true)).compiledGraph.nodes
      .map { type(of: $0.operation).name }
  }

  private func expectRight(_ graph: Graph) throws {
    var random = SampleRandom(seed: 5)
    let arguments = graph.inputs.map { input in
      ReferenceTensor(input.value.type, real: { _ in random.unit() * 2 - 1 }, integer: { _ in 0 })
    }
    #expect(try EngineCheck.difference(graph, arguments, CPUEngine(), tolerance: 1e-5) == nil)
  }

  @Test(arguments: [false, true], [1, 2]) func nothingIsMoved(causal: Bool, sharing: Int) throws {
    for joint in [true, false] {
      let graph = try block(sharing: sharing, joint: joint, causal: causal)
      let names = try compiled(graph)
      #expect(names.filter { $0 == "strided_attention" }.count == 2)
      #expect(Set(names).isDisjoint(with: ["transpose", "slice", "concatenate", "attention"]))
      try expectRight(graph)
    }
  }

  /// In 16 bits a result depends on where it is rounded, so what is moved and what is not are compared.
  @Test func neitherInSixteenBits() throws {
    let graph = try block(.bfloat16)
    var random = SampleRandom(seed: 6)
    let arguments = graph.inputs.map { input in
      HostBuffer(input.value.type, doubles: (0..<input.value.type.count).map { _ in random.unit() * 2 - 1 })
    }
    let runs = try [true, false].map { fuse in
      let program = try CPUEngine().compile(graph, options: CompileOptions(threads: 2, fuse: fuse))
      let results = program.outputTypes.map { HostBuffer($0) }
      try program.run(arguments, into: results)
      return results.map(\.doubles)
    }
    #expect(runs[0] == runs[1])
    let again = try compiled(graph)
    let isStrided = again.contains("strided_attention")
    #expect(isStrided == !again.contains("attention"))
    #expect(again.contains("transpose") == !isStrided)
  }

  /// A result that others want as it is, and heads that are apart from the beginning.
  @Test func whatOthersSeeStays() throws {
    var builder = GraphBuilder()
    let type = TensorType([2, 3, 20, 16])
    let (q, k) = (builder.input("q", TensorType([2, 20, 3, 16])), builder.input("k", type))
    let turned = try builder.transpose(q, [0, 2, 1, 3])
    let made = try builder.emit(Attention(causal: false), operands: [turned, k, k])
    let moved = try builder.transpose(made[0], [0, 2, 1, 3])
    builder.setOutputs([made[0], made[1], moved, try builder.add(turned, made[0])])
    try expectRight(builder.graph)
    #expect(try compiled(builder.graph).contains("strided_attention"))
  }
}
