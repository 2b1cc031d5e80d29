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
