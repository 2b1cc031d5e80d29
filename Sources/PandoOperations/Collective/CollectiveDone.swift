import PandoIR

/// Waits for an exchange that was begun on a channel.
///
/// Operands: the exchange's result, and what it must still read. Result: the first, now complete. Nothing else may use
/// the exchange's own result.
public struct CollectiveDone: ExchangeEnd {
  public static let name = "collective_done"
  public static let operandCount: Int? = nil

  /// The channel, as the exchange names it.
  public let channel: Int

  /// A wait for a channel.
  public init(channel: Int) { self.channel = channel }

  public var traits: Traits { [.alias, .collective] }

  /// The exchange's type.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard let first = operands.first else { throw TypeError(self, "needs the exchange's result") }
    return [first]
  }

  /// Gradients are taken before exchanges are put on channels.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [cotangents[0]] + operands.dropFirst().map { _ in nil } }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    var (labels, start): ([String], Int) = ([], 0)
    for operand in operands {
      labels.append(ShardingRule.labels(operand.rank, from: start))
      start += operand.rank
    }
    return ShardingRule(operands: labels, results: [labels[0]], whole: Set(labels.joined()))
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost { Cost(flops: 0, bytes: 0) }
}
