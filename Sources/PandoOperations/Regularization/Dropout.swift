import PandoIR

/// Sets each element to zero with some probability, and divides the others by the probability that they stay.
///
/// Operands: x, and the key `int64[2]` (seed and step) of the counter-based generator. Result: the type of x. The same
/// key and stream drop the same elements on every engine. The probability is rounded up to a multiple of 2⁻²⁴.
/// Srivastava et al.: Dropout (2014).
public struct Dropout: CompositeOperation {
  public static let name = "dropout"
  public static let operandCount: Int? = 2

  /// The probability that an element is dropped, from 0 to 1.
  public let probability: Double
  /// The stream of random bits, different for each use in a program.
  public let stream: Int

  /// A dropout.
  public init(probability: Double, stream: Int) {
    self.probability = probability
    self.stream = stream
  }

  public var traits: Traits { .random }

  public var precision: PrecisionRule { .follow }

  /// The type of x.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try checkFloating(operands[0], "x")
    try check(operands[1], is: TensorType([2], .int64), "the key (seed and step)")
    guard (0..<RandomBits.streamCount).contains(stream) else {
      throw TypeError(self, "the stream must be from 0 to \(RandomBits.streamCount - 1), got \(stream)")
    }
    guard (0...1).contains(probability) else {
      throw TypeError(self, "the probability must be from 0 to 1, got \(probability)")
    }
    return [operands[0]]
  }

  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let x = try graph.widen(operands[0])
    let isDropped = try graph.emit(
      RandomBernoulli(shape: x.type.shape, probability: probability, stream: stream), operands[1])
    let kept = probability < 1 ? try graph.scale(x, 1 / (1 - probability)) : x
    let y = try graph.select(isDropped, graph.constant(0, like: x), kept)
    return [try graph.convert(y, to: operands[0].type.dtype)]
  }

  /// The same elements of the cotangent are dropped, so nothing is kept for the gradient.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [try graph.emit(self, cotangents[0], operands[1]), nil] }

  /// An element's draw depends on its place in the whole tensor, so no part can be done by itself; the partitioner
  /// takes the decomposition, which leaves that to the random bits.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = ShardingRule.labels(operands[0].rank)
    let key = ShardingRule.labels(1, from: operands[0].rank)
    return ShardingRule(operands: [labels, key], results: [labels], whole: Set(labels + key))
  }
}
