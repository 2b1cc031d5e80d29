import PandoEngine
import PandoIR
import PandoOperations
import PandoTransforms
import Testing

/// What the algebra does, as text.
@Suite struct SimplifyTests {
  private func simplified(_ body: (inout GraphBuilder, Value) throws -> Value) throws -> String {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([2, 3]))
    builder.setOutputs([try body(&builder, x)])
    return try Simplify().apply(builder.graph).description
  }

  private let nothing = """
    graph(%0 "x": float32[2,3]) {
      return %0
    }

    """

  @Test func neutralElementsDisappear() throws {
    #expect(try simplified { try $0.add($1, $0.constant(0, like: $1)) } == nothing)
    #expect(try simplified { try $0.multiply($0.constant(1, like: $1), $1) } == nothing)
    #expect(try simplified { try $0.divide($1, $0.constant(1, like: $1)) } == nothing)
    #expect(try simplified { try $0.negate($0.negate($1)) } == nothing)
    #expect(try simplified { try $0.transpose($0.transpose($1, [1, 0]), [1, 0]) } == nothing)
    #expect(try simplified { try $0.reshape($0.reshape($1, [6]), [2, 3]) } == nothing)
  }

  @Test func constantsAreFolded() throws {
    let text = try simplified { builder, x in
      let two = try builder.constant(2, like: x)
      return try builder.multiply(
        x, builder.add(two, builder.unary(.exponential, builder.constant(0, like: x))))
    }
    #expect(
      text == """
        graph(%0 "x": float32[2,3]) {
          %1: float32[] = constant() {"bytes":"00004040","type":{"dtype":"float32","shape":[]}}
          %2: float32[2,3] = broadcast(%1) {"dimensions":[],"shape":[2,3]}
          %3: float32[2,3] = binary(%0, %2) {"function":"multiply"}
          return %3
        }

        """)
  }

  @Test func equalNodesBecomeOne() throws {
    let text = try simplified { builder, x in
      let (a, b) = (try builder.unary(.sine, x), try builder.unary(.sine, x))
      return try builder.add(builder.multiply(a, x), builder.multiply(x, b))
    }
    #expect(
      text == """
        graph(%0 "x": float32[2,3]) {
          %1: float32[2,3] = unary(%0) {"function":"sine"}
          %2: float32[2,3] = binary(%1, %0) {"function":"multiply"}
          %3: float32[2,3] = binary(%2, %2) {"function":"add"}
          return %3
        }

        """)
  }

  @Test func transposedOperandsAreRelabelled() throws {
    let text = try simplified { builder, x in
      try builder.contract("ki,kj->ij", builder.transpose(x, [1, 0]), builder.transpose(x, [1, 0]))
    }
    #expect(
      text == """
        graph(%0 "x": float32[2,3]) {
          %1: float32[2,2] = contraction(%0, %0) {"lhs":"ik","result":"ij","rhs":"jk"}
          return %1
        }

        """)
  }

  /// 0 · ∞ is not a number, so a product with zero has to stay.
  @Test func productsWithZeroStay() throws {
    let text = try simplified { try $0.multiply($1, $0.constant(0, like: $1)) }
    #expect(text.contains("multiply"))
  }

  @Test func deadCodeIsDropped() throws {
    #expect(
      try simplified { builder, x in
        _ = try builder.unary(.sine, x)
        return x
      } == nothing)
  }
}

/// The gradients of neighbouring slices become one tensor without zeros between.
@Suite struct SideBySideTests {
  private func simplified(_ build: (inout GraphBuilder) throws -> Value) throws -> Graph {
    var builder = GraphBuilder()
    builder.setOutputs([try build(&builder)])
    let graph = builder.graph
    let simple = try Simplify().apply(graph)
    try simple.verify()
    let arguments = graph.inputs.enumerated().map { place, input in
      ReferenceTensor(
        input.value.type, reals: (0..<input.value.type.count).map { Double($0 * 3 + place + 1) })
    }
    #expect(try ReferenceEngine.evaluate(simple, arguments) == ReferenceEngine.evaluate(graph, arguments))
    return simple
  }

  private func names(_ graph: Graph) -> [String] { graph.nodes.map { type(of: $0.operation).name } }

  /// A tensor [2, width] between zeros, in [2, 9].
  private func part(_ width: Int, at place: Int, _ builder: inout GraphBuilder) throws -> Value {
    let x = builder.input("x\(place)", TensorType([2, width]))
    return try builder.pad(x, low: [0, place], high: [0, 9 - place - width])
  }

  @Test func threeSlicesInAnyOrderAreJoined() throws {
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [1, 2, 0]] {
      let graph = try simplified { builder in
        let parts = try [(2, 0), (3, 2), (4, 5)].map { try part($0.0, at: $0.1, &builder) }
        return try builder.add(builder.add(parts[order[0]], parts[order[1]]), parts[order[2]])
      }
      #expect(names(graph) == ["concatenate"])
      #expect(graph.nodes[0].operands == graph.inputs.map(\.value))
    }
  }

  @Test func whatIsLeftOverStaysZero() throws {
    let graph = try simplified { builder in
      try builder.add(part(3, at: 4, &builder), part(3, at: 1, &builder))
    }
    #expect(names(graph).sorted() == ["concatenate", "constant", "pad"])
  }

  @Test func overlappingAndDistantPartsAreAdded() throws {
    for place in [1, 5] {
      let graph = try simplified { builder in
        try builder.add(part(3, at: 0, &builder), part(3, at: place, &builder))
      }
      #expect(names(graph).contains("binary"))
    }
  }
}
