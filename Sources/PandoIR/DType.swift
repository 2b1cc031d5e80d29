/// The type of a tensor's elements.
///
/// Names follow PyTorch. Arithmetic on `bfloat16` and `float16` rounds to nearest even after every operation;
/// `bool` is stored as one byte, 0 or 1.
public enum DType: String, Hashable, Sendable, Codable, CaseIterable {
  case float32, float64, bfloat16, float16
  case int32, int64, int8, uint8
  case bool

  /// Bytes that one element occupies in memory.
  public var byteCount: Int {
    switch self {
    case .float64, .int64: 8
    case .float32, .int32: 4
    case .bfloat16, .float16: 2
    case .int8, .uint8, .bool: 1
    }
  }

  /// Whether elements are floating-point numbers, and so may have a gradient.
  public var isFloatingPoint: Bool {
    switch self {
    case .float32, .float64, .bfloat16, .float16: true
    case .int32, .int64, .int8, .uint8, .bool: false
    }
  }

  /// Whether elements are whole numbers; `bool` is not.
  public var isInteger: Bool {
    switch self {
    case .int32, .int64, .int8, .uint8: true
    case .float32, .float64, .bfloat16, .float16, .bool: false
    }
  }
}
