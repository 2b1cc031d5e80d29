import PandoIR

/// A composite that works element by element on operands of one floating-point type and has one result of that type.
///
/// It is computed in the accumulator type and rounded once. An engine that fuses elementwise operations takes the
/// decomposition.
public protocol ElementwiseComposite: CompositeOperation {
  /// Emits the formula.
  ///
  /// - Parameter x: the operands in their accumulator type.
  /// - Returns: the result in that type.
  func formula(_ x: [Value], in graph: inout GraphBuilder) throws(TypeError) -> Value
}

extension ElementwiseComposite {
  public var traits: Traits { [.elementwise, .inPlace] }

  public var precision: PrecisionRule { .follow }

  /// The operands' one floating-point type.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try checkFloating(operands[0], "the operand")
    for other in operands.dropFirst() { try check(other, is: operands[0], "every operand") }
    return [operands[0]]
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    var wide: [Value] = []
    for operand in operands { wide.append(try graph.widen(operand)) }
    return [try graph.convert(formula(wide, in: &graph), to: operands[0].type.dtype)]
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    .elementwise(rank: operands[0].rank, operandCount: operands.count)
  }
}
