import PandoEngine
import PandoIR

/// One way of calling an operation, with operands to try it on.
public struct OperationSample: Sendable, CustomStringConvertible {
  /// An operand: its type and what its elements are drawn from.
  public struct Operand: Sendable {
    /// Shape and element type.
    public let type: TensorType
    /// What the elements are drawn from.
    public let values: Values
  }

  /// What an operand's elements are drawn from, seeded by the sample and the operand's place.
  public enum Values: Sendable {
    /// Uniform in the range; whole numbers for integer types, 0 or 1 for bool.
    case uniform(ClosedRange<Double>)
    /// Exactly these.
    case exactly([Double])
    /// The whole numbers 0, 1, 2 … in a random order, times the factor: no ties.
    case distinct(Double)
  }

  /// What is called.
  public let operation: any Operation
  /// On what.
  public let operands: [Operand]
  /// Whether the gradient at these operands exists and is to be checked.
  public let checksGradient: Bool
  /// Relative error granted to an engine in float32, where more than the default is needed for a stated reason.
  public let tolerance: Double?

  /// A sample; operands are written as `.uniform([2, 3])` and so on.
  public init(
    _ operation: any Operation, _ operands: Operand..., checksGradient: Bool = true, tolerance: Double? = nil
  ) {
    self.init(operation, operands: operands, checksGradient: checksGradient, tolerance: tolerance)
  }

  /// A sample.
  public init(
    _ operation: any Operation, operands: [Operand], checksGradient: Bool = true, tolerance: Double? = nil
  ) {
    self.operation = operation
    self.operands = operands
    self.checksGradient = checksGradient
    self.tolerance = tolerance
  }

  /// The operation's name, attributes and operand types.
  public var description: String {
    "\(type(of: operation).name) \(operation) (\(operands.map(\.type.description).joined(separator: ", ")))"
  }

  /// The operands' elements; floating-point operands in `dtype` where one is given.
  public func makeOperands(floating dtype: DType? = nil) -> [ReferenceTensor] {
    operands.enumerated().map { place, operand in
      let type =
        operand.type.dtype.isFloatingPoint
        ? operand.type.with(dtype: dtype ?? operand.type.dtype) : operand.type
      var random = SampleRandom(seed: UInt64(place + 1) &* 0x9E37_79B9 &+ UInt64(type.count))
      switch operand.values {
      case .exactly(let values):
        precondition(values.count == type.count, "\(self): \(type) got \(values.count) values")
        return ReferenceTensor(type, real: { values[$0] }, integer: { Int64(values[$0]) })
      case .uniform(let range):
        return ReferenceTensor(
          type, real: { _ in range.lowerBound + random.unit() * (range.upperBound - range.lowerBound) },
          integer: { _ in
            type.dtype == .bool
              ? (random.unit() < 0.5 ? 0 : 1)
              : Int64((range.lowerBound + random.unit() * (range.upperBound - range.lowerBound)).rounded())
          })
      case .distinct(let factor):
        var order = Array(0..<type.count)
        for index in order.indices.reversed() { order.swapAt(index, Int(random.unit() * Double(index + 1))) }
        return ReferenceTensor(type, real: { Double(order[$0]) * factor }, integer: { Int64(order[$0]) })
      }
    }
  }
}

extension OperationSample.Operand {
  /// Elements uniform in `range`; for an integer type give a range that fits it.
  public static func uniform(
    _ shape: [Int], _ range: ClosedRange<Double> = -2...2, _ dtype: DType = .float32
  ) -> Self { Self(type: TensorType(shape, dtype), values: .uniform(range)) }

  /// Exactly `values`.
  public static func exactly(_ shape: [Int], _ values: [Double], _ dtype: DType = .float32) -> Self {
    Self(type: TensorType(shape, dtype), values: .exactly(values))
  }

  /// 0, 1, 2 … times `factor` in a random order, so that nothing ties.
  public static func distinct(_ shape: [Int], times factor: Double = 1, _ dtype: DType = .float32) -> Self {
    Self(type: TensorType(shape, dtype), values: .distinct(factor))
  }
}

/// SplitMix64: small and good enough for test data.
public struct SampleRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// A stream that depends on `seed` only.
  public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in [0, 1).
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
