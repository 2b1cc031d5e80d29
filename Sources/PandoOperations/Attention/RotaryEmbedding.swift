import Foundation
import PandoIR

/// Rotates pairs of elements by an angle that grows with the position, so that products of queries and keys depend on
/// their distance.
///
/// The operand is [B, H, T, D] (or any [..., T, D]) with an even D. Element i of the first half and element i of the
/// second make a pair (the `rotate_half` convention of GPT-NeoX and Llama), turned by
/// (t + offset) · base^(-2i / D). Su et al.: RoFormer (2021).
public struct RotaryEmbedding: CompositeOperation {
  public static let name = "rotary_embedding"
  public static let operandCount: Int? = 1

  /// How much slower the last pair turns than the first.
  public let base: Double
  /// The position of the first element along T.
  public let offset: Int
  /// Whether pairs turn the other way, as in the gradient.
  public let inverse: Bool

  /// A rotation by positions `offset`, `offset + 1` ….
  public init(base: Double = 10_000, offset: Int = 0, inverse: Bool = false) {
    self.base = base
    self.offset = offset
    self.inverse = inverse
  }

  public var precision: PrecisionRule { .follow }

  /// The operand's floating-point type.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let x = operands[0]
    try checkFloating(x, "the operand")
    guard x.rank >= 2, let size = x.shape.last, size.isMultiple(of: 2) else {
      throw TypeError(self, "takes [..., T, D] with an even D, got \(x)")
    }
    guard base > 0, base.isFinite, offset >= 0 else {
      throw TypeError(self, "base must be positive and offset 0 or more, got \(base) and \(offset)")
    }
    return [x]
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let x = try graph.widen(operands[0])
    let shape = x.type.shape
    let (time, last) = (shape.count - 2, shape.count - 1)
    let half = shape[last] / 2
    let halves = Array(shape.dropLast()) + [half]

    let angles = try angles(length: shape[time], half: half, x.type.dtype, in: &graph)
    let cosine = try graph.broadcast(graph.unary(.cosine, angles), to: halves, dimensions: [time, last])
    var sine = try graph.broadcast(graph.unary(.sine, angles), to: halves, dimensions: [time, last])
    if inverse { sine = try graph.negate(sine) }

    let first = try graph.slice(x, last, 0..<half)
    let second = try graph.slice(x, last, half..<shape[last])
    let turned = [
      try graph.subtract(graph.multiply(first, cosine), graph.multiply(second, sine)),
      try graph.add(graph.multiply(second, cosine), graph.multiply(first, sine)),
    ]
    let y = try graph.concatenate(turned, last)
    return [try graph.convert(y, to: operands[0].type.dtype)]
  }

  /// Position times frequency, [T, D / 2]. The frequencies are a table, so that engines do not differ in their powers.
  private func angles(
    length: Int, half: Int, _ dtype: DType, in graph: inout GraphBuilder
  ) throws(TypeError) -> Value {
    let frequencies = (0..<half).flatMap { index in
      ElementBytes.encode(pow(base, -Double(index) / Double(half)), as: dtype)
    }
    let table = try graph.emit(Constant(type: TensorType([half], dtype), bytes: frequencies), operands: [])[0]
    let steps = TensorType([length], .int32)
    let places = try graph.add(graph.iota(steps, dimension: 0), graph.constant(Double(offset), steps))
    return try graph.multiply(
      graph.broadcast(graph.convert(places, to: dtype), to: [length, half], dimensions: [0]),
      graph.broadcast(table, to: [length, half], dimensions: [1]))
  }

  /// The rotation is linear and its transpose is the rotation back.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    [try graph.emit(RotaryEmbedding(base: base, offset: offset, inverse: !inverse), cotangents[0])]
  }

  /// Positions and pairs stay whole; the rest may be split. Cuts of time go to the heads, as in the attention that
  /// follows.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = Array(ShardingRule.labels(operands[0].rank))
    var rule = ShardingRule.elementwise(rank: labels.count, operandCount: 1)
    rule.whole = Set(labels.suffix(2))
    if labels.count == 4 { rule.moving = [labels[2]: labels[1]] }
    return rule
  }
}
