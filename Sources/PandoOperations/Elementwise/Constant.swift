import PandoIR

/// A tensor whose elements are written in the graph.
///
/// Use it for scalars and small tables; large arrays are inputs.
public struct Constant: Operation {
  public static let name = "constant"
  public static let operandCount: Int? = 0

  /// Shape and element type.
  public let type: TensorType
  /// The elements' bytes in memory order, little-endian.
  public let bytes: [UInt8]

  /// A constant from the bytes of its elements.
  public init(type: TensorType, bytes: [UInt8]) {
    self.type = type
    self.bytes = bytes
  }

  /// A scalar: `value` rounded to `dtype`.
  public init(_ value: Double, _ dtype: DType) {
    self.init(type: .scalar(dtype), bytes: ElementBytes.encode(value, as: dtype))
  }

  public var traits: Traits { .generator }

  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard type.isValid, bytes.count == type.byteCount else {
      throw TypeError(self, "\(type) needs \(type.byteCount) bytes, got \(bytes.count)")
    }
    return [type]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [] }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = ShardingRule.labels(type.rank)
    return ShardingRule(operands: [], results: [labels], whole: Set(labels))
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: operands, results: results)
  }

  /// The value of a scalar constant, exact in Double except for 64-bit integers beyond 2^53.
  public var scalar: Double? {
    type.shape.isEmpty ? ElementBytes.decode(bytes, as: type.dtype) : nil
  }

  private enum CodingKeys: String, CodingKey { case type, bytes }

  /// Reads the bytes from hexadecimal digits.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    type = try container.decode(TensorType.self, forKey: .type)
    let digits = Array(try container.decode(String.self, forKey: .bytes).utf8)
    guard digits.count.isMultiple(of: 2) else {
      throw DecodingError.dataCorruptedError(
        forKey: .bytes, in: container, debugDescription: "an odd number of hexadecimal digits")
    }
    bytes = try stride(from: 0, to: digits.count, by: 2).map { index in
      let pair = String(decoding: digits[index..<index + 2], as: UTF8.self)
      guard let byte = UInt8(pair, radix: 16) else {
        throw DecodingError.dataCorruptedError(
          forKey: .bytes, in: container, debugDescription: "'\(pair)' is not a hexadecimal byte")
      }
      return byte
    }
  }

  /// Writes the bytes as hexadecimal digits.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(type, forKey: .type)
    let digits = bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }
    try container.encode(digits.joined(), forKey: .bytes)
  }
}
