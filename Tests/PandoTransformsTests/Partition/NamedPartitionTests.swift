import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import PandoTransforms
import Testing

/// Values whose dimensions have names, and cuts that an operation cannot have and gives to another dimension.
@Suite struct NamedPartitionTests {
  private func kinds(_ graph: Graph) -> [String: Int] {
    graph.nodes.reduce(into: [:]) { counts, node in
      if node.operation is any ExchangeOperation { counts[type(of: node.operation).name, default: 0] += 1 }
    }
  }

  private static func number(_ index: Int, _ place: Int) -> Double {
    let step: Int = (index * 7919 + place * 271) % 1000
    return Double(step) / 500 - 1
  }

  private func check(
    _ text: String, _ mesh: Mesh, inputs: [String], priorities: [Placement.Priority], outputs: [String],
    names: [String: [String]]
  ) throws -> Graph {
    let graph = try Graph(parsing: text, operations: Catalogue.standard.operations)
    let shardings = try (inputs.map { try Sharding(parsing: $0) }, outputs.map { try Sharding(parsing: $0) })
    let partitioning = Partitioning(
      mesh, inputs: zip(shardings.0, priorities).map { Placement($0, $1) },
      outputs: shardings.1.map { Placement($0) }, names: names,
      bucketBytes: 0)
    let part = try Partition(partitioning).apply(graph)
    try part.verify()
    let arguments: [ReferenceTensor] = graph.inputs.enumerated().map { place, input in
      ReferenceTensor(input.value.type, real: { Self.number($0, place) }, integer: { _ in 0 })
    }
    let check = PartitionCheck(mesh, inputs: shardings.0, outputs: shardings.1)
    #expect(try check.difference(part, graph, arguments, tolerance: 1e-5) == nil, "\(part)")
    return part
  }

  /// Samples lie over all ranks; each rank has some experts, and gets the tokens of all samples that are for them.
  @Test(arguments: [2, 4]) func tokensGoToTheirExpertsAndBack(_ ranks: Int) throws {
    let part = try check(
      """
      graph(%0 "x": float32[4,8,3,5], %1 "w": float32[4,6,5]) {
        %2: float32[4,8,3,5] = name_dimensions(%0) {"names":[null,"samples",null,null]}
        %3: float32[4,8,3,5] = name_dimensions(%2) {"names":["expert","samples",null,null]}
        %4: float32[4,8,3,6] = contraction(%3, %1) {"lhs":"ebci","result":"ebco","rhs":"eoi"}
        %5: float32[4,8,3,6] = relu(%4)
        %6: float32[4,8,3,6] = name_dimensions(%5) {"names":["expert","samples",null,null]}
        %7: float32[4,8,3,6] = name_dimensions(%6) {"names":[null,"samples",null,null]}
        return %7
      }
      """, try Mesh(["expert": ranks]), inputs: ["[_,expert,_,_]", "[expert,_,_]"],
      priorities: [.data, .weights], outputs: ["[_,expert,_,_]"],
      names: ["samples": ["expert"], "expert": ["expert"]])
    #expect(kinds(part) == ["all_to_all": 2], "\(part)")
    let products = part.nodes.filter { $0.operation is Contraction }
    #expect(products.map(\.results[0].type.shape) == [[4 / ranks, 8, 3, 6]])
  }

  /// Places of a text lie over ranks; each rank attends with some heads over all places.
  @Test(arguments: ["attention", "gradient"]) func headsAreCutInPlaceOfTime(_ kind: String) throws {
    let type = "float32[2,4,6,3]"
    let cut = "[_,_,sequence,_]"
    let body =
      kind == "attention"
      ? "return %3"
      : """
      %5: \(type), %6: \(type), %7: \(type) = attention_gradient(%0, %1, %2, %3, %4, %0) {"causal":true}
        return %3, %5, %6, %7
      """
    let part = try check(
      """
      graph(%0 "q": \(type), %1 "k": \(type), %2 "v": \(type)) {
        %3: \(type), %4: float32[2,4,6] = attention(%0, %1, %2) {"causal":true}
        \(body)
      }
      """, try Mesh(["sequence": 2]), inputs: [cut, cut, cut], priorities: [.data, .data, .data],
      outputs: Array(repeating: cut, count: kind == "attention" ? 1 : 4), names: [:])
    // Three operands and a result there and back; backward the operands are there already, and three gradients go back.
    #expect(kinds(part) == ["all_to_all": kind == "attention" ? 4 : 7], "\(part)")
    let done = part.nodes.filter { $0.operation is Attention || $0.operation is AttentionGradient }
    #expect(
      done.allSatisfy { $0.results[0].type.shape == [2, 2, 6, 3] }
        && done.count == (kind == "attention" ? 1 : 2))
  }

  /// Three heads do not divide: keys and values are gathered, and each rank has the queries of its places.
  @Test func keysAreGatheredWhereHeadsDoNotDivide() throws {
    let type = "float32[2,3,6,4]"
    let cut = "[_,_,sequence,_]"
    let part = try check(
      """
      graph(%0 "q": \(type), %1 "k": \(type), %2 "v": \(type)) {
        %3: \(type), %4: float32[2,3,6] = attention(%0, %1, %2) {"causal":true}
        return %3
      }
      """, try Mesh(["sequence": 2]), inputs: [cut, cut, cut], priorities: [.data, .data, .data],
      outputs: [cut],
      names: [:])
    #expect(kinds(part) == ["all_gather": 2], "\(part)")
  }
}
