import PandoIR

/// Truth values, each true with a given probability.
///
/// Operand: the key, `int64[2]`. The probability is rounded up to a multiple of 2⁻²⁴, so that 0 is never and 1 always.
public struct RandomBernoulli: RandomDraw {
  public static let name = "random_bernoulli"

  public let shape: [Int]
  /// The probability of true, from 0 to 1.
  public let probability: Double
  public let stream: Int

  /// Truth values of a stream.
  public init(shape: [Int], probability: Double, stream: Int) {
    self.shape = shape
    self.probability = probability
    self.stream = stream
  }

  /// bool of `shape`.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard (0...1).contains(probability) else {
      throw TypeError(self, "the probability must be from 0 to 1, got \(probability)")
    }
    return [try checkDraw(operands, .bool)]
  }

  /// Compares whole numbers, without rounding.
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    let whole = try whole(bits: 24, operands[0], in: &graph)
    let threshold = (probability * 0x1p24).rounded(.up)
    return [try graph.compare(.less, whole, graph.constant(threshold, like: whole))]
  }
}
