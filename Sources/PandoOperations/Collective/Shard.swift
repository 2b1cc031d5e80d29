import PandoIR

/// The operand itself, spread over a mesh as said here: an annotation, which partitioning obeys and takes out.
public struct Shard: Operation {
  public static let name = "shard"
  public static let operandCount: Int? = 1

  /// How the value is spread.
  public let sharding: Sharding

  /// An annotation; it has no partial axes.
  public init(_ sharding: Sharding) { self.sharding = sharding }

  public var traits: Traits { [.alias, .movement] }

  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard sharding.dimensions.count == operands[0].rank, sharding.partial.isEmpty else {
      throw TypeError(
        self, "\(sharding) must have one place for each dimension of \(operands[0]), and no terms")
    }
    return [operands[0]]
  }

  /// The cotangent is spread alike.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [try graph.emit(self, cotangents[0])] }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    .elementwise(rank: operands[0].rank, operandCount: 1)
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost { Cost(flops: 0, bytes: 0) }
}
