import PandoIR
import PandoOperations
import PandoTransforms
import Testing

/// Sums that go on from program to program as terms, of which each rank has its own.
@Suite struct PartitionTermsTests {
  private static let graph = """
    graph(%0 "x": float32[8,4], %1 "dy": float32[8,6], %2 "sum": float32[4,6]) {
      %3: float32[4,6] = contraction(%0, %1) {"lhs":"ki","result":"ij","rhs":"kj"}
      %4: float32[4,6] = binary(%2, %3) {"function":"add"}
      return %4
    }
    """

  private func placements(_ texts: [String], storage: Set<String> = []) throws -> [Placement?] {
    try texts.map { Placement(try Sharding(parsing: $0), storage: storage) }
  }

  private func part(
    _ text: String, _ mesh: KeyValuePairs<String, Int>, _ inputs: [String], _ outputs: [String]
  ) throws -> String {
    let partitioning = Partitioning(
      try Mesh(mesh), inputs: try placements(inputs), outputs: try placements(outputs))
    let part = try Partition(partitioning).apply(
      Graph(parsing: text, operations: Catalogue.standard.operations))
    try part.verify()
    return part.description
  }

  @Test func aGradientIsAddedToTermsWithoutAnExchange() throws {
    let text = try part(
      Self.graph, ["data": 2], ["[data,_]", "[data,_]", "[_,_] sum(data)"], ["[_,_] sum(data)"])
    #expect(
      text == """
        graph(%0 "x": float32[4,4], %1 "dy": float32[4,6], %2 "sum": float32[4,6]) {
          %3: float32[4,6] = contraction(%0, %1) {"lhs":"ki","result":"ij","rhs":"kj"}
          %4: float32[4,6] = binary(%2, %3) {"function":"add"}
          return %4
        }

        """)
  }

  @Test func termsBecomeTheirSumOnce() throws {
    let settle = """
      graph(%0 "gradient of w": float32[4,6]) {
        return %0
      }
      """
    let text = try part(settle, ["data": 2], ["[_,_] sum(data)"], ["[_,_]"])
    #expect(text.contains("all_reduce(%0)") && text.contains("\"label\":\"gradient of w\""), "\(text)")
    let scattered = try part(settle, ["data": 2], ["[_,_] sum(data)"], ["[data,_]"])
    #expect(scattered.contains("reduce_scatter(%0)"), "\(scattered)")
  }

  /// Of axes along which the gradient is whole, or cut, nothing stays open; of the others all do.
  @Test func whatComesAsTermsIsKnown() throws {
    let graph = try Graph(parsing: Self.graph, operations: Catalogue.standard.operations)
    let mesh = try Mesh(["data": 2, "tensor": 2])
    func open(_ sum: String, _ output: String, storage: Set<String> = []) throws -> [[String]] {
      let inputs = try placements(["[data,_]", "[data,_]"]) + placements([sum], storage: storage)
      return try Partitioning(mesh, inputs: inputs, outputs: try placements([output], storage: storage))
        .outputTerms(of: graph)
    }
    #expect(try open("[_,_] sum(data,tensor)", "[_,_]") == [["data"]])
    #expect(try open("[_,_] sum(data)", "[_,_]") == [["data"]])
    #expect(try open("[_,_]", "[_,_]") == [[]])
    // Hybrid sharding: parts are scattered over one axis, and their terms stay apart along the other.
    let hybrid = try Mesh(["data": 2, "fsdp": 2])
    let inputs =
      try placements(["[data*fsdp,_]", "[data*fsdp,_]"])
      + placements(["[fsdp,_] sum(data)"], storage: ["fsdp"])
    let terms = try Partitioning(
      hybrid, inputs: inputs, outputs: try placements(["[fsdp,_]"], storage: ["fsdp"])
    ).outputTerms(of: graph)
    #expect(terms == [["data"]])
  }
}
