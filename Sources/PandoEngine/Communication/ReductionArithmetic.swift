/// Two blocks of elements into one.
protocol ReductionCombination {
  associatedtype Element
  init(_ kind: ReductionKind)
  /// Writes `count` results; `result` may be either operand.
  func combine(
    _ left: UnsafePointer<Element>, _ right: UnsafePointer<Element>,
    into result: UnsafeMutablePointer<Element>, _ count: Int)
}

struct FloatingCombination<Element: BinaryFloatingPoint>: ReductionCombination {
  private let kind: ReductionKind
  init(_ kind: ReductionKind) { self.kind = kind }

  @inline(__always)
  func combine(
    _ left: UnsafePointer<Element>, _ right: UnsafePointer<Element>,
    into result: UnsafeMutablePointer<Element>, _ count: Int
  ) {
    switch kind {
    case .sum: for index in 0..<count { result[index] = left[index] + right[index] }
    case .product: for index in 0..<count { result[index] = left[index] * right[index] }
    case .maximum:
      for index in 0..<count {
        let (x, y) = (left[index], right[index])
        result[index] = x != x || x > y ? x : y
      }
    case .minimum:
      for index in 0..<count {
        let (x, y) = (left[index], right[index])
        result[index] = x != x || x < y ? x : y
      }
    }
  }
}

struct IntegerCombination<Element: FixedWidthInteger>: ReductionCombination {
  private let kind: ReductionKind
  init(_ kind: ReductionKind) { self.kind = kind }

  @inline(__always)
  func combine(
    _ left: UnsafePointer<Element>, _ right: UnsafePointer<Element>,
    into result: UnsafeMutablePointer<Element>, _ count: Int
  ) {
    switch kind {
    case .sum: for index in 0..<count { result[index] = left[index] &+ right[index] }
    case .product: for index in 0..<count { result[index] = left[index] &* right[index] }
    case .maximum: for index in 0..<count { result[index] = max(left[index], right[index]) }
    case .minimum: for index in 0..<count { result[index] = min(left[index], right[index]) }
    }
  }
}

/// A 16-bit floating-point type as its bits.
protocol HalfStorage {
  static func widen(_ bits: UInt16) -> Float
  /// Rounds to nearest even.
  static func narrow(_ value: Float) -> UInt16
}

enum BFloat16Storage: HalfStorage {
  @inline(__always)
  static func widen(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }

  @inline(__always)
  static func narrow(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
    return value != value ? 0x7FC0 : rounded
  }
}

enum Float16Storage: HalfStorage {
  @inline(__always)
  static func widen(_ bits: UInt16) -> Float { Float(Float16(bitPattern: bits)) }
  @inline(__always)
  static func narrow(_ value: Float) -> UInt16 { Float16(value).bitPattern }
}
