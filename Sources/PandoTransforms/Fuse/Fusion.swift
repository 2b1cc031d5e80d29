import PandoIR
import PandoOperations

/// Elementwise work that is done in one sweep over memory.
///
/// The body computes its results, which all have the shape `shape`, from inputs that it broadcasts to that shape, with
/// elementwise operations and generators in between. It carries its own graph, so it means what the body means on any
/// engine.
public struct Fusion: CompositeOperation {
  public static let name = "fusion"
  public static let operandCount: Int? = nil

  /// What is computed.
  public let body: Graph
  /// The shape over which it is computed.
  public let shape: [Int]
  private let text: String

  /// A fusion of `body`, whose outputs all have the shape `shape`.
  public init(body: Graph, shape: [Int]) {
    self.body = body
    self.shape = shape
    text = body.description
  }

  /// Result number `i` may be written over any operand of its byte count that the body does not broadcast.
  public var traits: Traits { [.elementwise, .inPlace] }

  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let expected = body.inputs.map(\.value.type)
    guard operands == expected else { throw TypeError(self, "takes \(expected), got \(operands)") }
    return body.outputs.map(\.type)
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let map = try graph.inline(body, arguments: operands)
    return body.outputs.map { map[$0.id]! }
  }

  /// The places of the operands that the body reads element for element, in the order of the results.
  public var elementwiseOperands: Set<Int> {
    var places: Set<Int> = []
    for (place, input) in body.inputs.enumerated() where input.value.type.shape == shape {
      let isBroadcast = body.nodes.contains { $0.operation is Broadcast && $0.operands[0] == input.value }
      if !isBroadcast { places.insert(place) }
    }
    return places
  }

  /// Each label stands for a dimension of the sweep; a broadcast operand has those it keeps.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = Array(ShardingRule.labels(shape.count))
    var spare = shape.count
    var whole: Set<Character> = []
    let rules = body.inputs.map { input -> String in
      let type = input.value.type
      guard type.shape != shape else { return String(labels) }
      let broadcast = body.nodes.first { $0.operation is Broadcast && $0.operands[0] == input.value }?
        .operation
      let dimensions = (broadcast as? Broadcast)?.dimensions ?? []
      return String(
        type.shape.indices.map { index -> Character in
          if index < dimensions.count, type.shape[index] == shape[dimensions[index]] {
            return labels[dimensions[index]]
          }
          defer { spare += 1 }
          whole.insert(Character(ShardingRule.labels(1, from: spare)))
          return Character(ShardingRule.labels(1, from: spare))
        })
    }
    return ShardingRule(
      operands: rules, results: body.outputs.map { _ in String(labels) }, whole: whole)
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: body.cost.flops, operands: operands, results: results)
  }

  public static func == (a: Fusion, b: Fusion) -> Bool { a.text == b.text && a.shape == b.shape }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(text)
    hasher.combine(shape)
  }

  private enum CodingKeys: String, CodingKey { case body, shape }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      body: try Graph(
        parsing: container.decode(String.self, forKey: .body), operations: Catalogue.standard.operations),
      shape: try container.decode([Int].self, forKey: .shape))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(text, forKey: .body)
    try container.encode(shape, forKey: .shape)
  }
}

extension Fusion: CustomStringConvertible {
  /// The functions in the body, without repetitions: `fusion of multiply, add, logistic`.
  public var description: String {
    var names: [String] = []
    for node in body.nodes where !(node.operation is Broadcast) && !(node.operation is Constant) {
      let name =
        switch node.operation {
        case let unary as Unary: unary.function.rawValue
        case let binary as Binary: binary.function.rawValue
        case let compare as Compare: compare.direction.rawValue
        default: type(of: node.operation).name
        }
      if !names.contains(name) { names.append(name) }
    }
    return "fusion of " + (names.isEmpty ? "broadcast" : names.joined(separator: ", "))
  }
}
