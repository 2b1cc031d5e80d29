import PandoIR

/// Ranks of a group pass their operands on around a ring.
public struct CollectivePermute: ExchangeOperation {
  public static let name = "collective_permute"
  public static let operandCount: Int? = 1

  /// How many places each operand moves: rank i gets what rank i - `shift` had.
  public let shift: Int
  public let axes: [String]
  public let parts: Int
  public let label: String

  /// A move by `shift` places among the `parts` ranks that differ along `axes`.
  public init(shift: Int, axes: [String], parts: Int, label: String = "") {
    self.shift = shift
    self.axes = axes
    self.parts = parts
    self.label = label
  }

  public var exchange: ExchangeKind { .send }
  public var traits: Traits { [.collective, .movement] }

  /// The operand's type.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try checkGroup()
    return [operands[0]]
  }

  /// The way back.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    [try graph.emit(CollectivePermute(shift: -shift, axes: axes, parts: parts, label: label), cotangents[0])]
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    let stays = shift.isMultiple(of: max(1, parts))
    return Cost(
      flops: 0, operands: operands, results: results, sentBytes: stays ? 0 : operands[0].byteCount)
  }
}
