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

  /// The whole of which this rank draws its part; `nil` for all.
  public let part: Part?

  /// A rank's part of a tensor that is spread over a mesh.
  public struct Part: Hashable, Sendable, Codable {
    /// The shape of the whole, by which elements are numbered.
    public let whole: [Int]
    /// For each dimension the mesh axes that it is cut along, outermost first.
    public let axes: [[String]]
    /// For each dimension the number of its parts.
    public let parts: [Int]

    /// A part of `whole`.
    public init(whole: [Int], axes: [[String]], parts: [Int]) {
      self.whole = whole
      self.axes = axes
      self.parts = parts
    }
  }

  /// Bits of a stream.
  public init(shape: [Int], stream: Int, part: Part? = nil) {
    self.shape = shape
    self.stream = stream
    self.part = part
  }

  /// A part's elements are not numbered in the order in which they lie, as a sweep over memory would have it.
  public var traits: Traits { part == nil ? .random : [] }

  /// int32 of `shape`.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let result = TensorType(shape, .int32)
    guard result.isValid else { throw TypeError(self, "\(shape) is no shape that can be addressed") }
    if let part {
      let expected = zip(part.whole, part.parts).map { $1 > 0 ? $0 / $1 : -1 }
      guard part.whole.count == shape.count, part.axes.count == shape.count, expected == shape,
        zip(expected, part.parts).map({ $0 * $1 }) == part.whole
      else {
        throw TypeError(self, "\(shape) is not one of \(part.parts) equal parts of \(part.whole)")
      }
    }
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

  /// Any dimension may be split: a part knows the places of its elements in the whole.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    var rule = ShardingRule.drawn(shape)
    if part == nil { rule.whole = Set(rule.operands[0]) }
    return rule
  }
}

extension ShardingRule {
  /// The rule of a composite that draws a tensor of `shape` under a key: nothing may be split, but its decomposition.
  static func drawn(_ shape: [Int]) -> ShardingRule {
    let (labels, key) = (labels(shape.count), labels(1, from: shape.count))
    return ShardingRule(operands: [key], results: [labels], whole: Set(labels + key))
  }
}
