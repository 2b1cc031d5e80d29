import PandoIR

/// Every rank gets the sum (or other reduction) of all ranks' operands.
public struct AllReduce: ExchangeOperation {
  public static let name = "all_reduce"
  public static let operandCount: Int? = 1

  /// How terms become the result.
  public let reduction: ShardingRule.Reduction
  public let axes: [String]
  public let parts: Int
  public let label: String
  /// Where the exchange goes on beside what follows: the number of the `CollectiveDone` that waits for it.
  public let channel: Int?

  /// A reduction over the `parts` ranks that differ along `axes`.
  public init(
    _ reduction: ShardingRule.Reduction = .sum, axes: [String], parts: Int, label: String = "",
    channel: Int? = nil
  ) {
    self.reduction = reduction
    self.axes = axes
    self.parts = parts
    self.label = label
    self.channel = channel
  }

  public var exchange: ExchangeKind { .allReduce }
  public var traits: Traits { [.collective, .inPlace] }
  public var isReduction: Bool { true }
  /// The operand is copied first, and the copies are added up where they are.
  public var readsUntilEnd: Bool { false }

  public func on(channel: Int) -> (any ExchangeOperation)? {
    AllReduce(reduction, axes: axes, parts: parts, label: label, channel: channel)
  }

  /// The operand's type, any but bool.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try checkGroup()
    guard operands[0].dtype != .bool else {
      throw TypeError(self, "cannot add up \(operands[0]); convert it")
    }
    return [operands[0]]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    switch reduction {
    case .sum: return [try graph.emit(self, cotangents[0])]
    case .maximum, .minimum:
      // As in a reduction within a rank, equal extremes share the cotangent.
      let isExtreme = try graph.compare(.equal, operands[0], results[0])
      let one = try graph.convert(isExtreme, to: operands[0].type.dtype)
      let sum = AllReduce(.sum, axes: axes, parts: parts, label: label)
      let share = try graph.divide(graph.emit(sum, cotangents[0]), graph.emit(sum, one))
      return [try graph.multiply(one, share)]
    case .product:
      throw TypeError(self, "the gradient of a product over ranks is not defined; add up logarithms")
    }
  }

  /// A ring sends every part but a rank's own twice.
  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(
      flops: results[0].count, operands: operands, results: results,
      sentBytes: 2 * others(of: operands[0].byteCount))
  }
}
