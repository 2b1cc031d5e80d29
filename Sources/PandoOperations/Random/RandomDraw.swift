import PandoIR

/// A composite whose one operand is a key, `int64[2]` (seed and step), and whose result is drawn from a stream.
public protocol RandomDraw: CompositeOperation {
  /// The result's shape.
  var shape: [Int] { get }
  /// A number below `RandomBits.streamCount` that nothing else with this key uses.
  var stream: Int { get }
}

extension RandomDraw {
  public static var operandCount: Int? { 1 }

  public var traits: Traits { .random }

  /// The attributes hold the whole shape; partitioning takes the decomposition, which leaves parts to the bits.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule { .drawn(shape) }

  /// Nothing of a draw depends on a number that has a gradient.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [nil] }

  /// Checks the key, the stream and the shape.
  ///
  /// - Returns: the type of the result with elements of `dtype`.
  func checkDraw(_ operands: [TensorType], _ dtype: DType) throws(TypeError) -> TensorType {
    try check(operands[0], is: TensorType([2], .int64), "the key (seed and step)")
    guard (0..<RandomBits.streamCount).contains(stream) else {
      throw TypeError(self, "the stream must be from 0 to \(RandomBits.streamCount - 1), got \(stream)")
    }
    let result = TensorType(shape, dtype)
    guard result.isValid else { throw TypeError(self, "\(shape) is no shape that can be addressed") }
    return result
  }

  /// Whole numbers from 0 to 2^bits - 1, int32: the highest bits of a lane's words. At most 31 bits.
  func whole(
    bits: Int, lane: Int = 0, _ key: Value, in graph: inout GraphBuilder
  ) throws(TypeError) -> Value {
    let words = try graph.emit(
      RandomBits(shape: shape, stream: RandomBits.stream(stream, lane: lane)), key)
    return try graph.binary(
      .shiftRightLogical, words, graph.constant(Double(32 - bits), like: words))
  }
}
