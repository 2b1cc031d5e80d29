/// The shape and element type of a tensor. Everything is dense, row-major and known before a program runs.
public struct TensorType: Hashable, Sendable, Codable {
  /// Sizes of the dimensions, outermost first; empty for a scalar.
  public var shape: [Int]
  /// The type of every element.
  public var dtype: DType

  /// A tensor of `shape`, by default of 32-bit floats.
  public init(shape: [Int], dtype: DType = .float32) {
    self.shape = shape
    self.dtype = dtype
  }

  /// Shorthand for `TensorType(shape:dtype:)`, as it reads in operation files: `TensorType([2, 3])`.
  public init(_ shape: [Int], _ dtype: DType = .float32) {
    self.init(shape: shape, dtype: dtype)
  }

  /// A scalar of `dtype`.
  public static func scalar(_ dtype: DType) -> TensorType { TensorType(shape: [], dtype: dtype) }

  /// How many dimensions there are.
  public var rank: Int { shape.count }

  /// How many elements there are: the product of the sizes.
  public var count: Int { shape.reduce(1, *) }

  /// Bytes in memory: `count` times the element's size.
  public var byteCount: Int { count * dtype.byteCount }

  /// The same shape with another element type.
  public func with(dtype: DType) -> TensorType { TensorType(shape: shape, dtype: dtype) }

  /// The same element type with another shape.
  public func with(shape: [Int]) -> TensorType { TensorType(shape: shape, dtype: dtype) }

  /// Distance in elements between neighbours along each dimension, row-major.
  public var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for dimension in stride(from: rank - 2, through: 0, by: -1) {
      strides[dimension] = strides[dimension + 1] * shape[dimension + 1]
    }
    return strides
  }

  /// Whether every size is non-negative and the bytes are no more than a process can address, 2^47; so sums over the
  /// tensors of a program do not overflow.
  package var isValid: Bool {
    var bytes = dtype.byteCount
    for size in shape {
      guard size >= 0 else { return false }
      let (product, overflow) = bytes.multipliedReportingOverflow(by: max(size, 1))
      guard !overflow, product <= 1 << 47 else { return false }
      bytes = product
    }
    return true
  }
}

extension TensorType: CustomStringConvertible {
  /// As in the graph's text form: `float32[2,3]`.
  public var description: String { "\(dtype.rawValue)[\(shape.map(String.init).joined(separator: ","))]" }

  /// Reads what `description` prints; `nil` where the text is anything else.
  public init?(description text: some StringProtocol) {
    guard let open = text.firstIndex(of: "["), text.last == "]",
      let dtype = DType(rawValue: String(text[..<open]))
    else { return nil }
    let inside = text[text.index(after: open)...].dropLast()
    var shape: [Int] = []
    if !inside.isEmpty {
      for part in inside.split(separator: ",", omittingEmptySubsequences: false) {
        guard let size = Int(part), size >= 0 else { return nil }
        shape.append(size)
      }
    }
    self.init(shape: shape, dtype: dtype)
    guard isValid else { return nil }
  }
}
