import PandoIR

/// Counter-based random bits: the same key and stream give the same bits on any engine and any number of threads.
///
/// Operand: the key, `int64[2]`, seed and step. Result: int32, all 32 bits of which are random. The generator is
/// Philox 4×32-10 (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011). Element i of
/// the row-major result is word i mod 4 of block i / 4, where
///
///     counter = block & 0xffffffff, block >> 32, stream, step & 0xffffffff
///     key     = seed & 0xffffffff, seed >> 32
///
/// Streams are numbered so that no two draws meet: an operation has a stream of its own, from 0 to
/// `RandomBits.streamCount - 1`, and where it needs several words for an element it takes them from the stream's lanes,
/// which `RandomBits.stream(_:lane:)` numbers. Lane 0 is the stream itself.
public struct RandomBits: Operation {
  public static let name = "random_bits"
  public static let operandCount: Int? = 1

  /// How many streams there are for operations to choose from: 2³⁰, each with four lanes.
  public static let streamCount = 1 << 30

  /// The number that a lane (0 to 3) of a stream has in the counter.
  public static func stream(_ stream: Int, lane: Int) -> Int { stream + lane * streamCount }

  /// The result's shape.
  public let shape: [Int]
  /// The stream's number in the counter, from 0 to 2³² - 1.
  public let stream: Int

  /// Bits of a stream.
  public init(shape: [Int], stream: Int) {
    self.shape = shape
    self.stream = stream
  }

  public var traits: Traits { .random }

  /// int32 of `shape`.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let result = TensorType(shape, .int32)
    guard result.isValid else { throw TypeError(self, "\(shape) is no shape that can be addressed") }
    guard operands[0] == TensorType([2], .int64) else {
      throw TypeError(self, "the key must be int64[2], the seed and the step, got \(operands[0])")
    }
    guard (0...Int(UInt32.max)).contains(stream) else {
      throw TypeError(self, "the stream must be from 0 to \(UInt32.max), got \(stream)")
    }
    return [result]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [nil] }

  /// Bits depend on the place in the whole tensor, so no part can be drawn by itself.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule { .drawn(shape) }
}

extension ShardingRule {
  /// The rule of an operation that draws a tensor of `shape` under a key: nothing may be split.
  static func drawn(_ shape: [Int]) -> ShardingRule {
    let (labels, key) = (labels(shape.count), labels(1, from: shape.count))
    return ShardingRule(operands: [key], results: [labels], whole: Set(labels + key))
  }
}
