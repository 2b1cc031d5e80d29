import PandoIR
import PandoOperations
import Testing

/// The graph's text form and its verifier, on graphs that are wrong.
@Suite struct GraphTests {
  private func parse(_ text: String) throws -> Graph {
    try Graph(parsing: text, operations: Catalogue.standard.operations)
  }

  private let good = """
    graph(%0 "x": float32[2,3], %1 "a \\"b\\"": float32[3]) {
      %2: float32[2,3] = broadcast(%1) {"dimensions":[1],"shape":[2,3]}
      %3: float32[2,3] = binary(%0, %2) {"function":"add"}
      return %3, %3
    }

    """

  @Test func textReadsBack() throws { #expect(try parse(good).description == good) }

  @Test(arguments: [
    ("function\":\"add", "function\":\"plus", "line 3"),
    ("= binary(", "= binry(", "did you mean 'binary'?"),
    ("%0, %2", "%0, %7", "%7 is used before"),
    ("%3: float32[2,3]", "%3: float32[2,4]", "the text says"),
    ("\"shape\":[2,3]", "\"shape\":[2,4]", "line 2"),
    ("return %3, %3", "", "expected"),
    ("float32[3])", "float33[3])", "expected a type"),
    ("float32[3])", "float32[-3])", "expected a type"),
    ("float32[3])", "float32[9223372036854775807,4])", "expected a type"),
  ])
  func wrongTextNamesItsLine(_ old: String, _ new: String, _ message: String) {
    let text = good.replacing(old, with: new).replacing("\n}", with: new.isEmpty ? "\n" : "\n}")
    let error = #expect(throws: ParseError.self) { try parse(text) }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
  }

  /// What the builder says when a node is emitted from a known place.
  private func refusal(_ emit: (inout GraphBuilder, Value) throws -> Void) -> String {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([2]))
    builder.site = SourceSite(file: "App/main.swift", line: 7)
    do {
      try emit(&builder, x)
      return "nothing was refused"
    } catch { return "\(error)" }
  }

  @Test func theBuilderRefusesWrongOperands() {
    #expect(refusal { _ = try $0.emit(Binary(.add), operands: [$1]) }.contains("takes 2 operands, got 1"))
    let wrong = refusal { _ = try $0.reshape($1, [3]) }
    #expect(wrong.contains("float32[2]") && wrong.contains("App/main.swift:7"))
    #expect(
      refusal { _ = try $0.broadcast($1, to: [1 << 46, 2], dimensions: [1]) }.contains("larger than"))
    #expect(
      refusal { _ = try $0.broadcast($1, to: [1 << 40, 1 << 40, 2], dimensions: [2]) }.contains("larger than")
    )
  }

  @Test func typesKnowTheirSizes() {
    #expect(TensorType([2, 3], .bfloat16).byteCount == 12)
    #expect(TensorType([2, 3, 4]).strides == [12, 4, 1])
    #expect(TensorType(description: "int8[]") == .scalar(.int8))
    #expect(TensorType(description: "int8[2,]") == nil)
  }

  @Test func bfloat16RoundsOnceToNearestEven() {
    func rounded(_ value: Double) -> Double {
      ElementBytes.decode(ElementBytes.encode(value, as: .bfloat16), as: .bfloat16)
    }
    #expect(rounded(1 + 0x1p-8) == 1)
    #expect(rounded(1 + 0x1p-8 + 0x1p-40) == 1 + 0x1p-7)
    #expect(rounded(1 + 3 * 0x1p-8) == 1 + 0x1p-6)
    #expect(rounded(-0x1.fffffp127).isInfinite)
    #expect(rounded(.nan).isNaN)
  }
}
