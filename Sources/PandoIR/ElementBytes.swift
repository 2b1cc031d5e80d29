/// Elements to and from their bytes in memory, through Double (floating point) or Int64 (integers).
public enum ElementBytes {
  /// The little-endian bytes of `value` rounded to `dtype`.
  public static func encode(_ value: Double, as dtype: DType) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: dtype.byteCount) { buffer, count in
      store(value, as: dtype, to: UnsafeMutableRawPointer(buffer.baseAddress!))
      count = dtype.byteCount
    }
  }

  /// The value of the first element in `bytes`.
  public static func decode(_ bytes: [UInt8], as dtype: DType) -> Double {
    bytes.withUnsafeBytes { load($0.baseAddress!, as: dtype) }
  }

  /// Rounds `value` to `dtype` (nearest even; integers drop the fraction and saturate) and stores it.
  public static func store(_ value: Double, as dtype: DType, to pointer: UnsafeMutableRawPointer) {
    func integer<T: FixedWidthInteger>(_: T.Type) -> T {
      if value.isNaN { return 0 }
      return T(exactly: value.rounded(.towardZero)) ?? (value < 0 ? T.min : T.max)
    }
    switch dtype {
    case .float64: pointer.storeBytes(of: value, as: Double.self)
    case .float32: pointer.storeBytes(of: Float(value), as: Float.self)
    case .bfloat16: pointer.storeBytes(of: BFloat16.bits(value), as: UInt16.self)
    case .float16: pointer.storeBytes(of: Float16(value).bitPattern, as: UInt16.self)
    case .int32: pointer.storeBytes(of: integer(Int32.self), as: Int32.self)
    case .int64: pointer.storeBytes(of: integer(Int64.self), as: Int64.self)
    case .int8: pointer.storeBytes(of: integer(Int8.self), as: Int8.self)
    case .uint8: pointer.storeBytes(of: integer(UInt8.self), as: UInt8.self)
    case .bool: pointer.storeBytes(of: value != 0 ? 1 : 0, as: UInt8.self)
    }
  }

  /// The element at `pointer` as a Double.
  public static func load(_ pointer: UnsafeRawPointer, as dtype: DType) -> Double {
    switch dtype {
    case .float64: pointer.loadUnaligned(as: Double.self)
    case .float32: Double(pointer.loadUnaligned(as: Float.self))
    case .bfloat16: BFloat16.value(pointer.loadUnaligned(as: UInt16.self))
    case .float16: Double(Float16(bitPattern: pointer.loadUnaligned(as: UInt16.self)))
    case .int32: Double(pointer.loadUnaligned(as: Int32.self))
    case .int64: Double(pointer.loadUnaligned(as: Int64.self))
    case .int8: Double(pointer.loadUnaligned(as: Int8.self))
    case .uint8, .bool: Double(pointer.loadUnaligned(as: UInt8.self))
    }
  }

  /// Stores `value` as an element of an integer or bool type; integers wrap, anything but zero is true.
  public static func store(_ value: Int64, as dtype: DType, to pointer: UnsafeMutableRawPointer) {
    switch dtype {
    case .int64: pointer.storeBytes(of: value, as: Int64.self)
    case .int32: pointer.storeBytes(of: Int32(truncatingIfNeeded: value), as: Int32.self)
    case .int8: pointer.storeBytes(of: Int8(truncatingIfNeeded: value), as: Int8.self)
    case .uint8: pointer.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
    case .bool: pointer.storeBytes(of: value != 0 ? 1 : 0, as: UInt8.self)
    case .float32, .float64, .bfloat16, .float16: store(Double(value), as: dtype, to: pointer)
    }
  }

  /// The element of an integer or bool type at `pointer`.
  public static func loadInteger(_ pointer: UnsafeRawPointer, as dtype: DType) -> Int64 {
    switch dtype {
    case .int64: pointer.loadUnaligned(as: Int64.self)
    case .int32: Int64(pointer.loadUnaligned(as: Int32.self))
    case .int8: Int64(pointer.loadUnaligned(as: Int8.self))
    case .uint8, .bool: Int64(pointer.loadUnaligned(as: UInt8.self))
    case .float32, .float64, .bfloat16, .float16: Int64(load(pointer, as: dtype))
    }
  }
}

/// The upper half of a 32-bit float.
enum BFloat16 {
  /// Rounds to nearest even, once: Double to Float would round a first time, so the Float is rounded to odd.
  static func bits(_ value: Double) -> UInt16 {
    guard !value.isNaN else { return 0x7FC0 }
    var single = Float(value)
    if Double(single) != value, single.isFinite, single.bitPattern & 1 == 0 {
      let towardZero = abs(Double(single)) > abs(value)
      single = Float(bitPattern: towardZero ? single.bitPattern - 1 : single.bitPattern + 1)
    }
    let bits = single.bitPattern
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
  }

  static func value(_ bits: UInt16) -> Double { Double(Float(bitPattern: UInt32(bits) << 16)) }
}
