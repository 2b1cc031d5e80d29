import PandoIR

/// Moves elements outside a range to its nearer end; NaN stays NaN.
public struct Clip: CompositeOperation {
  public static let name = "clip"
  public static let operandCount: Int? = 1

  /// The lowest value, rounded to the operand's type; `nil` for no bound.
  public let minimum: Double?
  /// The highest value, rounded to the operand's type; `nil` for no bound.
  public let maximum: Double?

  /// A clip to `minimum...maximum`.
  public init(minimum: Double?, maximum: Double?) {
    self.minimum = minimum
    self.maximum = maximum
  }

  public var traits: Traits { [.elementwise, .inPlace] }

  public var precision: PrecisionRule { .follow }

  /// The operand's type: any numbers.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard operands[0].dtype != .bool else { throw TypeError(self, "takes numbers, got \(operands[0])") }
    if minimum?.isNaN ?? false || maximum?.isNaN ?? false {
      throw TypeError(self, "a bound is not a number; leave it out for none")
    }
    if let minimum, let maximum, minimum > maximum {
      throw TypeError(self, "the minimum \(minimum) is above the maximum \(maximum)")
    }
    return operands
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    var x = operands[0]
    if let minimum { x = try graph.binary(.maximum, x, graph.constant(minimum, like: x)) }
    if let maximum { x = try graph.binary(.minimum, x, graph.constant(maximum, like: x)) }
    return [x]
  }

  /// The cotangent where x lies within the bounds, ends included (as in PyTorch), otherwise zero.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let (x, zero) = (operands[0], try graph.constant(0, like: operands[0]))
    var dx = cotangents[0]
    if let minimum {
      dx = try graph.select(graph.compare(.less, x, graph.constant(minimum, like: x)), zero, dx)
    }
    if let maximum {
      dx = try graph.select(graph.compare(.greater, x, graph.constant(maximum, like: x)), zero, dx)
    }
    return [dx]
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    .elementwise(rank: operands[0].rank, operandCount: 1)
  }
}
