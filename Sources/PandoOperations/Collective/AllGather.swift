import PandoIR

/// Every rank gets all ranks' operands, joined along a dimension in the order of the ranks.
public struct AllGather: ExchangeOperation, CompositeOperation {
  public static let name = "all_gather"
  public static let operandCount: Int? = 1

  /// The dimension along which parts are joined.
  public let dimension: Int
  public let axes: [String]
  public let parts: Int
  public let label: String
  /// Tells apart gatherings of one value that are made anew so that the whole need not be kept.
  public let occurrence: Int
  /// As in `AllReduce`.
  public let channel: Int?

  /// A gathering from the `parts` ranks that differ along `axes`.
  public init(
    _ dimension: Int, axes: [String], parts: Int, label: String = "", occurrence: Int = 0,
    channel: Int? = nil
  ) {
    self.dimension = dimension
    self.axes = axes
    self.parts = parts
    self.label = label
    self.occurrence = occurrence
    self.channel = channel
  }

  public var exchange: ExchangeKind { .allGather }
  public var traits: Traits { [.collective, .movement] }

  public func on(channel: Int) -> (any ExchangeOperation)? {
    AllGather(
      dimension, axes: axes, parts: parts, label: label, occurrence: occurrence, channel: channel)
  }

  /// The operand's type with `parts` times the size along `dimension`.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [try multiplied(operands[0], dimension)]
  }

  /// A gathering along a new first dimension, whose parts are then brought to their place.
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let first = AllGather(
      0, axes: axes, parts: parts, label: label, occurrence: occurrence, channel: channel)
    let gathered = try graph.emit(first, graph.reshape(operands[0], [1] + operands[0].type.shape))
    return [try graph.partsMerged(gathered, dimension)]
  }

  /// Each rank gets the sum of what became of its part everywhere.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    [try graph.emit(ReduceScatter(dimension, axes: axes, parts: parts, label: label), cotangents[0])]
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: operands, results: results, sentBytes: others(of: results[0].byteCount))
  }
}
