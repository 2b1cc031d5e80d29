import PandoIR
import PandoOperations
import PandoTransforms
import Testing

/// One rank's program, as text, for each way in which an operation can be cut.
@Suite struct PartitionGoldenTests {
  /// A graph that is to be spread, and what it becomes.
  struct Case: CustomStringConvertible, Sendable {
    let description: String
    let graph: String
    var mesh: KeyValuePairs<String, Int> = ["data": 2, "tensor": 2]
    let inputs: [String]
    var storage: Set<String> = []
    let outputs: [String]
    var bucketBytes = 0
    let part: String
  }

  @Test(arguments: cases) func partitionsAs(_ example: Case) throws {
    let graph = try Graph(parsing: example.graph, operations: Catalogue.standard.operations)
    func placements(_ texts: [String]) throws -> [Placement?] {
      try texts.map { Placement(try Sharding(parsing: $0), storage: example.storage) }
    }
    let partitioning = Partitioning(
      try Mesh(example.mesh), inputs: try placements(example.inputs),
      outputs: try placements(example.outputs),
      bucketBytes: example.bucketBytes)
    let part = try Partition(partitioning).apply(graph)
    try part.verify()
    #expect(part.description == example.part + "\n", "\(part)")
  }

  static let cases: [Case] = [
    Case(
      description: "rows of a product go with the samples",
      graph: """
        graph(%0 "x": float32[8,4], %1 "w": float32[4,6]) {
          %2: float32[8,6] = contraction(%0, %1) {"lhs":"ik","result":"ij","rhs":"kj"}
          return %2
        }
        """,
      inputs: ["[data,_]", "[_,_]"], outputs: ["[data,_]"],
      part: """
        graph(%0 "x": float32[4,4], %1 "w": float32[4,6]) {
          %2: float32[4,6] = contraction(%0, %1) {"lhs":"ik","result":"ij","rhs":"kj"}
          return %2
        }
        """),
    Case(
      description: "a summed dimension that is cut leaves terms, which are added up",
      graph: """
        graph(%0 "x": float32[8,4], %1 "w": float32[4,6]) {
          %2: float32[8,6] = contraction(%0, %1) {"lhs":"ik","result":"ij","rhs":"kj"}
          return %2
        }
        """,
      inputs: ["[_,tensor]", "[tensor,_]"], outputs: ["[_,_]"],
      part: """
        graph(%0 "x": float32[8,2], %1 "w": float32[2,6]) {
          %2: float32[8,6] = contraction(%0, %1) {"lhs":"ik","result":"ij","rhs":"kj"}
          %3: float32[8,6] = all_reduce(%2) {"axes":["tensor"],"label":"contraction","parts":2,"reduction":"sum"}
          return %3
        }
        """),
    Case(
      description: "terms of which a rank keeps a part are scattered",
      graph: """
        graph(%0 "x": float32[8,4], %1 "w": float32[4,6]) {
          %2: float32[8,6] = contraction(%0, %1) {"lhs":"ik","result":"ij","rhs":"kj"}
          return %2
        }
        """,
      inputs: ["[_,tensor]", "[tensor,_]"], outputs: ["[tensor,_]"],
      part: """
        graph(%0 "x": float32[8,2], %1 "w": float32[2,6]) {
          %2: float32[8,6] = contraction(%0, %1) {"lhs":"ik","result":"ij","rhs":"kj"}
          %3: float32[4,6] = reduce_scatter(%2) {"axes":["tensor"],"dimension":0,"label":"contraction","parts":2,"reduction":"sum"}
          return %3
        }
        """),
    Case(
      description: "a weight that is kept in parts is gathered for each use",
      graph: """
        graph(%0 "x": float32[8,4], %1 "w": float32[4,4]) {
          %2: float32[8,4] = contraction(%0, %1) {"lhs":"ik","result":"ij","rhs":"kj"}
          %3: float32[8,4] = contraction(%2, %1) {"lhs":"ik","result":"ij","rhs":"kj"}
          return %3
        }
        """,
      inputs: ["[data,_]", "[data,_]"], storage: ["data"], outputs: ["[data,_]"],
      part: """
        graph(%0 "x": float32[4,4], %1 "w": float32[2,4]) {
          %2: float32[4,4] = all_gather(%1) {"axes":["data"],"dimension":0,"label":"w","occurrence":0,"parts":2}
          %3: float32[4,4] = contraction(%0, %2) {"lhs":"ik","result":"ij","rhs":"kj"}
          %4: float32[4,4] = all_gather(%1) {"axes":["data"],"dimension":0,"label":"w","occurrence":1,"parts":2}
          %5: float32[4,4] = contraction(%3, %4) {"lhs":"ik","result":"ij","rhs":"kj"}
          return %5
        }
        """),
    Case(
      description: "columns, then rows: one sum for two products",
      graph: """
        graph(%0 "x": float32[8,4], %1 "up": float32[4,16], %2 "down": float32[16,4]) {
          %3: float32[8,16] = contraction(%0, %1) {"lhs":"ik","result":"ij","rhs":"kj"}
          %4: float32[8,16] = relu(%3)
          %5: float32[8,4] = contraction(%4, %2) {"lhs":"ik","result":"ij","rhs":"kj"}
          return %5
        }
        """,
      inputs: ["[data,_]", "[_,tensor]", "[tensor,_]"], outputs: ["[data,_]"],
      part: """
        graph(%0 "x": float32[4,4], %1 "up": float32[4,8], %2 "down": float32[8,4]) {
          %3: float32[4,8] = contraction(%0, %1) {"lhs":"ik","result":"ij","rhs":"kj"}
          %4: float32[4,8] = relu(%3)
          %5: float32[4,4] = contraction(%4, %2) {"lhs":"ik","result":"ij","rhs":"kj"}
          %6: float32[4,4] = all_reduce(%5) {"axes":["tensor"],"label":"contraction","parts":2,"reduction":"sum"}
          return %6
        }
        """),
    Case(
      description: "a cut moves to another dimension by one exchange",
      graph: """
        graph(%0 "x": float32[8,4]) {
          %1: float32[8,4] = unary(%0) {"function":"hyperbolicTangent"}
          return %1
        }
        """,
      inputs: ["[data,_]"], outputs: ["[_,data]"],
      part: """
        graph(%0 "x": float32[4,4]) {
          %1: float32[4,4] = unary(%0) {"function":"hyperbolicTangent"}
          %2: float32[8,2] = all_to_all(%1) {"axes":["data"],"cut":1,"joined":0,"label":"x","parts":2}
          return %2
        }
        """),
    Case(
      description: "what is gathered for one is cut again without an exchange",
      graph: """
        graph(%0 "x": float32[8,4]) {
          %1: float32[8,4] = reverse(%0) {"dimensions":[0]}
          %2: float32[8,4] = binary(%0, %1) {"function":"add"}
          return %2
        }
        """,
      inputs: ["[data,_]"], outputs: ["[data,_]"],
      part: """
        graph(%0 "x": float32[4,4]) {
          %1: float32[8,4] = all_gather(%0) {"axes":["data"],"dimension":0,"label":"x","occurrence":0,"parts":2}
          %2: float32[8,4] = reverse(%1) {"dimensions":[0]}
          %3: float32[4,4] = shard_slice(%2) {"axes":["data"],"dimension":0,"parts":2}
          %4: float32[4,4] = binary(%0, %3) {"function":"add"}
          return %4
        }
        """),
    Case(
      description: "random bits and numberings are those of the whole",
      graph: """
        graph(%0 "key": int64[2]) {
          %1: int32[8,4] = random_bits(%0) {"shape":[8,4],"stream":3}
          %2: int32[8,4] = iota() {"dimension":0,"type":{"dtype":"int32","shape":[8,4]}}
          %3: int32[8,4] = binary(%1, %2) {"function":"add"}
          return %3
        }
        """,
      inputs: ["[_]"], outputs: ["[data,tensor]"],
      part: """
        graph(%0 "key": int64[2]) {
          %1: int32[4,2] = random_bits(%0) {"part":{"axes":[["data"],["tensor"]],"parts":[2,2],"whole":[8,4]},"shape":[4,2],"stream":3}
          %2: int64[] = axis_index() {"axes":["data"],"factor":4,"parts":2}
          %3: int64[4,2] = iota() {"dimension":0,"type":{"dtype":"int64","shape":[4,2]}}
          %4: int64[4,2] = broadcast(%2) {"dimensions":[],"shape":[4,2]}
          %5: int64[4,2] = binary(%3, %4) {"function":"add"}
          %6: int32[4,2] = convert(%5) {"dtype":"int32"}
          %7: int32[4,2] = binary(%1, %6) {"function":"add"}
          return %7
        }
        """),
    Case(
      description: "an annotation is obeyed and taken out",
      graph: """
        graph(%0 "x": float32[8,4]) {
          %1: float32[8,4] = shard(%0) {"sharding":"[data,tensor]"}
          %2: float32[8,4] = unary(%1) {"function":"hyperbolicTangent"}
          return %2
        }
        """,
      inputs: ["[_,_]"], outputs: ["[data,tensor]"],
      part: """
        graph(%0 "x": float32[8,4]) {
          %1: float32[4,4] = shard_slice(%0) {"axes":["data"],"dimension":0,"parts":2}
          %2: float32[4,2] = shard_slice(%1) {"axes":["tensor"],"dimension":1,"parts":2}
          %3: float32[4,2] = unary(%2) {"function":"hyperbolicTangent"}
          return %3
        }
        """),
    Case(
      description: "a composite that would be whole is taken apart",
      graph: """
        graph(%0 "x": float32[8,4]) {
          %1: float32[8,4] = log_softmax(%0) {"dimension":1}
          return %1
        }
        """,
      inputs: ["[data,tensor]"], outputs: ["[data,tensor]"],
      part: """
        graph(%0 "x": float32[4,2]) {
          %1: float32[4] = reduce(%0) {"dimensions":[1],"function":"maximum"}
          %2: float32[4] = all_reduce(%1) {"axes":["tensor"],"label":"reduce","parts":2,"reduction":"maximum"}
          %3: float32[4,2] = broadcast(%2) {"dimensions":[0],"shape":[4,2]}
          %4: float32[4,2] = binary(%0, %3) {"function":"subtract"}
          %5: float32[4,2] = unary(%4) {"function":"exponential"}
          %6: float32[4] = reduce(%5) {"dimensions":[1],"function":"sum"}
          %7: float32[4] = all_reduce(%6) {"axes":["tensor"],"label":"reduce","parts":2,"reduction":"sum"}
          %8: float32[4] = unary(%7) {"function":"logarithm"}
          %9: float32[4,2] = broadcast(%8) {"dimensions":[0],"shape":[4,2]}
          %10: float32[4,2] = binary(%4, %9) {"function":"subtract"}
          return %10
        }
        """),
    Case(
      description: "small sums over one group become one",
      graph: """
        graph(%0 "x": float32[8,4], %1 "y": float32[8,2]) {
          %2: float32[4] = reduce(%0) {"dimensions":[0],"function":"sum"}
          %3: float32[2] = reduce(%1) {"dimensions":[0],"function":"sum"}
          return %2, %3
        }
        """,
      inputs: ["[data,_]", "[data,_]"], outputs: ["[_]", "[_]"], bucketBytes: 1024,
      part: """
        graph(%0 "x": float32[4,4], %1 "y": float32[4,2]) {
          %2: float32[4] = reduce(%0) {"dimensions":[0],"function":"sum"}
          %3: float32[2] = reduce(%1) {"dimensions":[0],"function":"sum"}
          %4: float32[6] = concatenate(%2, %3) {"dimension":0}
          %5: float32[6] = all_reduce(%4) {"axes":["data"],"label":"reduce and 1 more","parts":2,"reduction":"sum"}
          %6: float32[4] = slice(%5) {"limits":[4],"starts":[0],"strides":[1]}
          %7: float32[2] = slice(%5) {"limits":[6],"starts":[4],"strides":[1]}
          return %6, %7
        }
        """),
  ]

  @Test func overlapBeginsEarlyAndWaitsLate() throws {
    let text = """
      graph(%0 "x": float32[8,4], %1 "w": float32[4,6]) {
        %2: float32[8,6] = contraction(%0, %1) {"lhs":"ik","result":"ij","rhs":"kj"}
        %3: float32[8,4] = unary(%0) {"function":"hyperbolicTangent"}
        %4: float32[8,6] = all_reduce(%2) {"axes":["tensor"],"label":"y","parts":2,"reduction":"sum"}
        return %3, %4
      }
      """
    let graph = try Graph(parsing: text, operations: Catalogue.standard.operations)
    let begun = try Overlap().apply(graph)
    try begun.verify()
    let names = begun.nodes.map { type(of: $0.operation).name }
    #expect(names == ["contraction", "all_reduce", "unary", "collective_done"])
  }

  @Test func anExchangeThatNobodyWaitsForIsRefused() throws {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([2]))
    let begun = try builder.emit(AllReduce(axes: ["data"], parts: 2, channel: 0), x)
    builder.setOutputs([try builder.unary(.negate, begun)])
    #expect(throws: VerifierError.self) { try builder.graph.verify() }
    var other = GraphBuilder()
    let y = other.input("y", TensorType([2]))
    _ = try other.emit(AllReduce(axes: ["data"], parts: 2), y)
    other.setOutputs([try other.emit(AllReduce(axes: ["data"], parts: 4), y)])
    #expect(throws: VerifierError.self) { try other.graph.verify() }
  }
}

/// What cannot be spread as asked is refused before anything is built.
@Suite struct PartitionErrorTests {
  private func message(_ mesh: Mesh, _ type: TensorType, _ sharding: Sharding) throws -> String {
    var builder = GraphBuilder()
    let x = builder.input("hidden.weight", type)
    builder.setOutputs([try builder.unary(.negate, x)])
    let partitioning = Partitioning(mesh, inputs: [Placement(sharding)], outputs: [])
    do {
      _ = try Partition(partitioning).apply(builder.graph)
      return "no error"
    } catch { return "\(error)" }
  }

  @Test func unevenSizesNameTheNearest() throws {
    let text = try message(Mesh(["tensor": 4]), TensorType([10, 3]), Sharding([["tensor"], []]))
    #expect(text.contains("hidden.weight") && text.contains("size 10"))
    #expect(text.contains("the nearest sizes that do are 8 and 12"))
  }

  @Test func unknownAxesNameTheNearest() throws {
    let text = try message(Mesh(["tensor": 4]), TensorType([8]), Sharding([["tenso"]]))
    #expect(text.contains("'tenso'") && text.contains("did you mean 'tensor'?"))
  }

  @Test func aRuleThatDoesNotFitNamesTheOperation() throws {
    var builder = GraphBuilder()
    let x = builder.input("x", TensorType([8, 2]))
    builder.setOutputs([try builder.emit(RuleLess(), x)])
    let partitioning = Partitioning(try Mesh(["data": 2]), inputs: [], outputs: [])
    do {
      _ = try Partition(partitioning).apply(builder.graph)
      Issue.record("accepted")
    } catch let error as TypeError {
      #expect(error.operation == "rule_less")
      #expect(error.message.contains("shardingRule") && error.message.contains("float32[8,2]"))
    }
  }
}

/// An operation whose author forgot that it has two dimensions.
private struct RuleLess: PandoIR.Operation {
  static let name = "rule_less"
  static let operandCount: Int? = 1
  func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] { operands }
  func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [nil] }
  func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    ShardingRule(operands: ["a"], results: ["a"])
  }
}
