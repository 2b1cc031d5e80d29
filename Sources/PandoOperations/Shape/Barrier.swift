import PandoIR

/// The first operand as it is, but not before the second exists.
///
/// It is what keeps work that is done again where it was put: no pass takes what hangs behind a barrier for what was
/// computed before it. It costs nothing, since the result has the first operand's bytes.
public struct Barrier: Operation {
  public static let name = "barrier"
  public static let operandCount: Int? = 2

  /// A barrier; it has no attributes.
  public init() {}

  public var traits: Traits { [.alias] }

  /// The first operand's type.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] { [operands[0]] }

  /// The cotangent goes to the first operand; the second is only waited for.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [cotangents[0], nil] }

  /// The first operand may be split in any way; of the second only its being there counts.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = ShardingRule.labels(operands[0].rank)
    let other = ShardingRule.labels(operands[1].rank, from: operands[0].rank)
    return ShardingRule(operands: [labels, other], results: [labels], whole: Set(other))
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost { Cost(flops: 0, bytes: 0) }
}
