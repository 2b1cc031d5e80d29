import PandoIR

/// Every rank cuts its operand along one dimension, sends each rank its part, and joins what it gets along another.
///
/// What was spread along `joined` is spread along `cut` afterwards.
public struct AllToAll: ExchangeOperation, CompositeOperation {
  public static let name = "all_to_all"
  public static let operandCount: Int? = 1

  /// The dimension that is cut.
  public let cut: Int
  /// The dimension along which parts are joined in the order of the ranks.
  public let joined: Int
  public let axes: [String]
  public let parts: Int
  public let label: String

  /// An exchange among the `parts` ranks that differ along `axes`.
  public init(cut: Int, joined: Int, axes: [String], parts: Int, label: String = "") {
    self.cut = cut
    self.joined = joined
    self.axes = axes
    self.parts = parts
    self.label = label
  }

  public var exchange: ExchangeKind { .allToAll }
  public var traits: Traits { [.collective, .movement] }

  /// The operand's type, smaller along one dimension and larger along the other.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    [try multiplied(divided(operands[0], cut), joined)]
  }

  /// An exchange along a first dimension of parts.
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let first = AllToAll(cut: 0, joined: 0, axes: axes, parts: parts, label: label)
    return [
      try graph.partsMerged(graph.emit(first, graph.partsFirst(operands[0], cut, parts)), joined)
    ]
  }

  /// The way back.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    [
      try graph.emit(
        AllToAll(cut: joined, joined: cut, axes: axes, parts: parts, label: label), cotangents[0])
    ]
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: operands, results: results, sentBytes: others(of: operands[0].byteCount))
  }
}
