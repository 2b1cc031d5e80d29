/// What mixed precision does with an operation: which of its floating-point operands may be rounded to 16 bits.
///
/// Operands named in `kept` have no say and stay in float32, such as a norm's weight or its statistics.
public struct PrecisionRule: Hashable, Sendable {
  /// How an operation meets 16-bit operands.
  public enum Kind: String, Hashable, Sendable {
    /// Its arithmetic is what 16 bits are for: all operands are rounded, sums run in float32, results are rounded once.
    case low
    /// It takes what it is given: as soon as one operand has 16 bits, the others are rounded too.
    case follow
    /// It needs the digits or the range of float32: operands are widened.
    case full
  }

  /// How the operation meets 16-bit operands.
  public let kind: Kind
  /// Places of operands that stay as they are.
  public let kept: Set<Int>

  /// A rule from its parts.
  public init(_ kind: Kind, keeping kept: Set<Int> = []) {
    self.kind = kind
    self.kept = kept
  }

  /// All operands are rounded.
  public static let low = PrecisionRule(.low)
  /// Operands are rounded where one of them is 16 bits wide already.
  public static let follow = PrecisionRule(.follow)
  /// Operands are widened.
  public static let full = PrecisionRule(.full)
}

/// An operation that sums in a wider type than its operands', and can hand out its sums unrounded.
public protocol Accumulating: Operation {
  /// The element type of the result; `nil` for the operands'.
  var resultDType: DType? { get }

  /// The same operation with an unrounded result of `dtype`; `nil` where what it computes is no sum.
  func accumulating(in dtype: DType) -> Self?
}
