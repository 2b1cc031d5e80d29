import PandoIR
import PandoOperations

// Two tensors of different shapes are broadcast as NumPy does: shapes are aligned at the last dimension, and a
// dimension of size 1, or one that is missing, is repeated.

extension Tensor {
  /// The operands repeated to one shape, or the operands as they are where no shape fits both.
  static func aligned(_ x: Tensor, _ y: Tensor) -> (Tensor, Tensor) {
    guard x.shape != y.shape, x.failure == nil, y.failure == nil else { return (x, y) }
    let rank = Swift.max(x.rank, y.rank)
    var shape: [Int] = []
    for dimension in 0..<rank {
      let (i, j) = (dimension - (rank - x.rank), dimension - (rank - y.rank))
      let (a, b) = (i < 0 ? 1 : x.shape[i], j < 0 ? 1 : y.shape[j])
      guard a == b || a == 1 || b == 1 else { return (x, y) }
      shape.append(a == 1 ? b : a)
    }
    return (x.broadcast(to: shape), y.broadcast(to: shape))
  }

  /// Repeats to `shape`, aligned at the last dimension.
  public func broadcast(to shape: [Int], file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    if shape == self.shape { return self }
    let offset = shape.count - rank
    guard offset >= 0 else {
      return .failed(
        "broadcast", "cannot repeat \(type) to the shorter shape \(shape)", like: self, file: file, line: line
      )
    }
    return .emit(
      Broadcast(shape: shape, dimensions: Array(offset..<shape.count)), [self], file: file, line: line)
  }

  static func binary(
    _ function: Binary.Function, _ x: Tensor, _ y: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let (x, y) = aligned(x, y)
    return emit(Binary(function), [x, y], file: file, line: line)
  }

  static func compare(_ direction: Compare.Direction, _ x: Tensor, _ y: Tensor) -> Tensor {
    let (x, y) = aligned(x, y)
    return emit(Compare(direction), [x, y])
  }

  /// `value` in this tensor's type.
  func constant(_ value: Double) -> Tensor { .full(shape, value, dtype: dtype) }

  /// x + y
  public static func + (x: Tensor, y: Tensor) -> Tensor { binary(.add, x, y) }
  /// x - y
  public static func - (x: Tensor, y: Tensor) -> Tensor { binary(.subtract, x, y) }
  /// x * y, element by element
  public static func * (x: Tensor, y: Tensor) -> Tensor { binary(.multiply, x, y) }
  /// x / y
  public static func / (x: Tensor, y: Tensor) -> Tensor { binary(.divide, x, y) }
  /// -x
  public static prefix func - (x: Tensor) -> Tensor { emit(Unary(.negate), [x]) }

  /// x + y
  public static func + (x: Tensor, y: Double) -> Tensor { binary(.add, x, x.constant(y)) }
  /// x - y
  public static func - (x: Tensor, y: Double) -> Tensor { binary(.subtract, x, x.constant(y)) }
  /// x * y
  public static func * (x: Tensor, y: Double) -> Tensor { binary(.multiply, x, x.constant(y)) }
  /// x / y
  public static func / (x: Tensor, y: Double) -> Tensor { binary(.divide, x, x.constant(y)) }
  /// x + y
  public static func + (x: Double, y: Tensor) -> Tensor { binary(.add, y.constant(x), y) }
  /// x - y
  public static func - (x: Double, y: Tensor) -> Tensor { binary(.subtract, y.constant(x), y) }
  /// x * y
  public static func * (x: Double, y: Tensor) -> Tensor { binary(.multiply, y.constant(x), y) }
  /// x / y
  public static func / (x: Double, y: Tensor) -> Tensor { binary(.divide, y.constant(x), y) }

  /// x < y, as bool
  public static func .< (x: Tensor, y: Tensor) -> Tensor { compare(.less, x, y) }
  /// x <= y, as bool
  public static func .<= (x: Tensor, y: Tensor) -> Tensor { compare(.lessOrEqual, x, y) }
  /// x > y, as bool
  public static func .> (x: Tensor, y: Tensor) -> Tensor { compare(.greater, x, y) }
  /// x >= y, as bool
  public static func .>= (x: Tensor, y: Tensor) -> Tensor { compare(.greaterOrEqual, x, y) }
  /// x == y, as bool
  public static func .== (x: Tensor, y: Tensor) -> Tensor { compare(.equal, x, y) }
  /// x != y, as bool
  public static func .!= (x: Tensor, y: Tensor) -> Tensor { compare(.notEqual, x, y) }

  /// x < y, as bool
  public static func .< (x: Tensor, y: Double) -> Tensor { compare(.less, x, x.constant(y)) }
  /// x <= y, as bool
  public static func .<= (x: Tensor, y: Double) -> Tensor { compare(.lessOrEqual, x, x.constant(y)) }
  /// x > y, as bool
  public static func .> (x: Tensor, y: Double) -> Tensor { compare(.greater, x, x.constant(y)) }
  /// x >= y, as bool
  public static func .>= (x: Tensor, y: Double) -> Tensor { compare(.greaterOrEqual, x, x.constant(y)) }
  /// x == y, as bool
  public static func .== (x: Tensor, y: Double) -> Tensor { compare(.equal, x, x.constant(y)) }
  /// x != y, as bool
  public static func .!= (x: Tensor, y: Double) -> Tensor { compare(.notEqual, x, x.constant(y)) }
}

infix operator .< : ComparisonPrecedence
infix operator .<= : ComparisonPrecedence
infix operator .> : ComparisonPrecedence
infix operator .>= : ComparisonPrecedence
infix operator .== : ComparisonPrecedence
infix operator .!= : ComparisonPrecedence

/// The larger of each pair; NaN where either is.
public func maximum(_ x: Tensor, _ y: Tensor) -> Tensor { .binary(.maximum, x, y) }
/// The smaller of each pair; NaN where either is.
public func minimum(_ x: Tensor, _ y: Tensor) -> Tensor { .binary(.minimum, x, y) }
/// x to the power of y.
public func pow(_ x: Tensor, _ y: Tensor) -> Tensor { .binary(.power, x, y) }
/// x to the power of y.
public func pow(_ x: Tensor, _ y: Double) -> Tensor { .binary(.power, x, x.constant(y)) }
/// The elements of `x` where `condition` is true, otherwise those of `y`; all three are broadcast to one shape.
public func select(_ condition: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor {
  let (a, b) = Tensor.aligned(x, y)
  let (c, d) = Tensor.aligned(condition, a)
  return .emit(Select(), [c, d, b.broadcast(to: d.shape)])
}
/// e to the power of each element.
public func exp(_ x: Tensor) -> Tensor { .emit(Unary(.exponential), [x]) }
/// Natural logarithm.
public func log(_ x: Tensor) -> Tensor { .emit(Unary(.logarithm), [x]) }
/// Square root.
public func sqrt(_ x: Tensor) -> Tensor { .emit(Unary(.squareRoot), [x]) }
/// 1 / √x
public func rsqrt(_ x: Tensor) -> Tensor { .emit(Unary(.reciprocalSquareRoot), [x]) }
/// |x|
public func abs(_ x: Tensor) -> Tensor { .emit(Unary(.absolute), [x]) }
/// Sine, in radians.
public func sin(_ x: Tensor) -> Tensor { .emit(Unary(.sine), [x]) }
/// Cosine, in radians.
public func cos(_ x: Tensor) -> Tensor { .emit(Unary(.cosine), [x]) }
/// The error function.
public func erf(_ x: Tensor) -> Tensor { .emit(Unary(.errorFunction), [x]) }
/// Whether each element is neither infinite nor NaN, as bool.
public func isFinite(_ x: Tensor) -> Tensor { .emit(Unary(.isFinite), [x]) }
