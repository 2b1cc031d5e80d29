import PandoIR

/// Compares two tensors of one type element by element; the result is `bool`.
public struct Compare: Operation {
  /// Which comparison. Every comparison with NaN is false, except `notEqual`.
  public enum Direction: String, Hashable, Sendable, Codable, CaseIterable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
  }

  public static let name = "compare"
  public static let operandCount: Int? = 2

  /// Which comparison.
  public let direction: Direction

  /// `lhs direction rhs` for each pair of elements.
  public init(_ direction: Direction) { self.direction = direction }

  public var traits: Traits { .elementwise }

  /// `bool`, of the operands' shape.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard operands[0] == operands[1] else {
      throw TypeError(self, "takes two tensors of one type, got \(operands[0]) and \(operands[1])")
    }
    return [operands[0].with(dtype: .bool)]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [nil, nil] }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    .elementwise(rank: operands[0].rank, operandCount: 2)
  }
}
