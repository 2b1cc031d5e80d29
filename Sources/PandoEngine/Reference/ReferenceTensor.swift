import PandoIR

/// A tensor as the reference engine sees it: Doubles for floating point, 64-bit integers for the rest (`bool` is 0
/// or 1), row-major.
public struct ReferenceTensor: Sendable, Equatable {
  /// Shape and element type.
  public let type: TensorType
  /// The elements of a floating-point tensor, otherwise empty.
  public private(set) var reals: [Double] = []
  /// The elements of an integer or bool tensor, otherwise empty.
  public private(set) var integers: [Int64] = []

  /// A floating-point tensor; each value is rounded to the type.
  public init(_ type: TensorType, reals values: [Double]) {
    precondition(
      type.dtype.isFloatingPoint && values.count == type.count, "\(type) got \(values.count) reals")
    self.type = type
    reals = type.dtype == .float64 ? values : values.map { Self.round($0, to: type.dtype) }
  }

  /// An integer or bool tensor; each value wraps to the type.
  public init(_ type: TensorType, integers values: [Int64]) {
    precondition(
      !type.dtype.isFloatingPoint && values.count == type.count, "\(type) got \(values.count) integers")
    self.type = type
    integers = type.dtype == .int64 ? values : values.map { Self.wrap($0, to: type.dtype) }
  }

  /// Any tensor from what stands at each place.
  ///
  /// - Parameters:
  ///   - real: the element at a linear index, asked for floating-point types.
  ///   - integer: the same for the rest.
  public init(_ type: TensorType, real: (Int) -> Double, integer: (Int) -> Int64) {
    if type.dtype.isFloatingPoint {
      self.init(type, reals: (0..<type.count).map(real))
    } else {
      self.init(type, integers: (0..<type.count).map(integer))
    }
  }

  /// A tensor whose element at each place is a copy of an element of `source`, which has the same element type.
  ///
  /// - Parameter index: the linear index in `source`, for each linear index here; `nil` for zero.
  public init(_ type: TensorType, from source: ReferenceTensor, index: (Int) -> Int?) {
    self.init(
      type, real: { index($0).map { source.reals[$0] } ?? 0 },
      integer: { index($0).map { source.integers[$0] } ?? 0 })
  }

  /// A copy of a buffer.
  public init(_ buffer: HostBuffer) {
    let (type, pointer, size) = (buffer.type, buffer.pointer, buffer.type.dtype.byteCount)
    self.init(
      type, real: { ElementBytes.load(pointer + $0 * size, as: type.dtype) },
      integer: { ElementBytes.loadInteger(pointer + $0 * size, as: type.dtype) })
  }

  /// Writes the elements into memory of `type.byteCount` bytes.
  public func store(to pointer: UnsafeMutableRawPointer) {
    let size = type.dtype.byteCount
    for (index, value) in reals.enumerated() {
      ElementBytes.store(value, as: type.dtype, to: pointer + index * size)
    }
    for (index, value) in integers.enumerated() {
      ElementBytes.store(value, as: type.dtype, to: pointer + index * size)
    }
  }

  /// The element at a linear index as a Double.
  public func double(_ index: Int) -> Double {
    type.dtype.isFloatingPoint ? reals[index] : Double(integers[index])
  }

  /// All elements as Doubles.
  public var doubles: [Double] { type.dtype.isFloatingPoint ? reals : integers.map(Double.init) }

  private static func round(_ value: Double, to dtype: DType) -> Double {
    withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) { memory in
      ElementBytes.store(value, as: dtype, to: memory.baseAddress!)
      return ElementBytes.load(memory.baseAddress!, as: dtype)
    }
  }

  private static func wrap(_ value: Int64, to dtype: DType) -> Int64 {
    withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) { memory in
      ElementBytes.store(value, as: dtype, to: memory.baseAddress!)
      return ElementBytes.loadInteger(memory.baseAddress!, as: dtype)
    }
  }
}

/// Linear and per-dimension places in a row-major tensor.
public enum Indexing {
  /// The place along each dimension of a linear index.
  public static func coordinates(_ index: Int, _ shape: [Int]) -> [Int] {
    var rest = index
    var coordinates = [Int](repeating: 0, count: shape.count)
    for dimension in shape.indices.reversed() {
      coordinates[dimension] = rest % shape[dimension]
      rest /= shape[dimension]
    }
    return coordinates
  }

  /// The linear index of a place.
  public static func linear(_ coordinates: [Int], _ shape: [Int]) -> Int {
    zip(coordinates, shape).reduce(0) { $0 * $1.1 + $1.0 }
  }
}
