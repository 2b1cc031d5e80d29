import PandoIR

/// Every rank gets its part along a dimension of the sum (or other reduction) of all ranks' operands.
public struct ReduceScatter: ExchangeOperation, CompositeOperation {
  public static let name = "reduce_scatter"
  public static let operandCount: Int? = 1

  /// The dimension that is cut.
  public let dimension: Int
  /// How terms become the result.
  public let reduction: ShardingRule.Reduction
  public let axes: [String]
  public let parts: Int
  public let label: String
  /// As in `AllReduce`.
  public let channel: Int?

  /// A reduction over the `parts` ranks that differ along `axes`.
  public init(
    _ dimension: Int, _ reduction: ShardingRule.Reduction = .sum, axes: [String], parts: Int,
    label: String = "", channel: Int? = nil
  ) {
    self.dimension = dimension
    self.reduction = reduction
    self.axes = axes
    self.parts = parts
    self.label = label
    self.channel = channel
  }

  public var exchange: ExchangeKind { .reduceScatter }
  public var traits: Traits { .collective }
  public var isReduction: Bool { true }

  public func on(channel: Int) -> (any ExchangeOperation)? {
    ReduceScatter(
      dimension, reduction, axes: axes, parts: parts, label: label, channel: channel)
  }

  /// The operand's type with the size along `dimension` divided by `parts`.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard operands[0].dtype != .bool else {
      throw TypeError(self, "cannot add up \(operands[0]); convert it")
    }
    return [try divided(operands[0], dimension)]
  }

  /// The parts are brought to the front and cut there.
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let first = ReduceScatter(0, reduction, axes: axes, parts: parts, label: label, channel: channel)
    let part = try graph.emit(first, graph.partsFirst(operands[0], dimension, parts))
    return [try graph.reshape(part, Array(part.type.shape.dropFirst()))]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    guard reduction == .sum else {
      throw TypeError(self, "only a sum can be differentiated; reduce over all ranks and take a part")
    }
    return [try graph.emit(AllGather(dimension, axes: axes, parts: parts, label: label), cotangents[0])]
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(
      flops: operands[0].count, operands: operands, results: results,
      sentBytes: others(of: operands[0].byteCount))
  }
}
