import PandoIR

/// A Swift number type that is stored as one of our element types.
public protocol HostElement: BitwiseCopyable, Sendable {
  /// The element type.
  static var dtype: DType { get }
}

extension Float: HostElement {
  /// `float32`
  public static var dtype: DType { .float32 }
}

extension Double: HostElement {
  /// `float64`
  public static var dtype: DType { .float64 }
}

extension Int32: HostElement {
  /// `int32`
  public static var dtype: DType { .int32 }
}

extension Int64: HostElement {
  /// `int64`
  public static var dtype: DType { .int64 }
}

extension Int8: HostElement {
  /// `int8`
  public static var dtype: DType { .int8 }
}

extension UInt8: HostElement {
  /// `uint8`
  public static var dtype: DType { .uint8 }
}

/// A dense, row-major, little-endian array in host memory that never changes once made.
public struct HostArray: Sendable {
  /// Shape and element type.
  public let type: TensorType
  private let storage: ByteStorage

  /// An array over bytes that already exist; there must be `type.byteCount` of them, suitably aligned.
  package init(type: TensorType, storage: ByteStorage) {
    precondition(storage.count == type.byteCount, "storage and type differ in size")
    self.type = type
    self.storage = storage
  }

  /// A new array, all of whose bytes `fill` writes.
  public init(type: TensorType, fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    self.init(type: type, storage: try ByteStorage(count: type.byteCount, fill: fill))
  }

  /// An array of `values`; without `shape` it has one dimension.
  public init<Element: HostElement>(_ values: [Element], shape: [Int]? = nil) {
    let type = TensorType(shape: shape ?? [values.count], dtype: Element.dtype)
    precondition(type.count == values.count, "\(values.count) values do not fill \(type)")
    self.init(type: type) { bytes in values.withUnsafeBytes { bytes.copyMemory(from: $0) } }
  }

  /// Calls `body` with the bytes, which are valid only during the call.
  public func withUnsafeBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try storage.withBytes(body)
  }

  /// The elements as Swift values; `Element` must match the element type.
  public func values<Element: HostElement>(as _: Element.Type = Element.self) -> [Element] {
    precondition(Element.dtype == type.dtype, "\(type) does not hold \(Element.self)")
    return withUnsafeBytes { Array($0.bindMemory(to: Element.self)) }
  }

  /// The same elements under another shape of as many elements.
  public func reshaped(_ shape: [Int]) -> HostArray {
    HostArray(type: type.with(shape: shape), storage: storage)
  }

  /// Every element as a `Double`, for checks and statistics.
  ///
  /// - Throws: `DataError` for the half-precision types, which are not read as numbers here.
  package func doubles(place: String) throws -> [Double] {
    switch type.dtype {
    case .float32: values(as: Float.self).map(Double.init)
    case .float64: values(as: Double.self)
    case .int32: values(as: Int32.self).map(Double.init)
    case .int64: values(as: Int64.self).map(Double.init)
    case .int8: values(as: Int8.self).map(Double.init)
    case .uint8: values(as: UInt8.self).map(Double.init)
    case .bool: withUnsafeBytes { $0.map { $0 == 0 ? 0 : 1 } }
    case .bfloat16, .float16:
      throw DataError(
        .unsupported, at: place, "\(type) cannot be used as numbers here", mend: "save it as float32")
    }
  }
}
