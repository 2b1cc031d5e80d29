import PandoIR

/// `(x * scale - mean) / deviation` as `float32`, from `uint8` or `float32`.
///
/// `mean` and `deviation` hold one number for all elements, or one for each index of the first dimension (the
/// channels of a picture, the columns of a record).
public struct Normalize: SampleTransform {
  /// The name of the field it maps.
  public let field: String
  private let factors: [Float]
  private let offsets: [Float]

  /// - Parameters:
  ///   - scale: applied first; 1/255 brings bytes to 0…1.
  ///   - mean: subtracted from the scaled value.
  ///   - deviation: divides what remains; as many as `mean`, none of them zero.
  public init(_ field: String, scale: Float = 1, mean: [Float] = [0], deviation: [Float] = [1]) {
    precondition(mean.count == deviation.count && !mean.isEmpty, "mean and deviation differ in length")
    precondition(deviation.allSatisfy { $0 != 0 }, "a deviation is zero")
    self.field = field
    factors = deviation.map { scale / $0 }
    offsets = zip(mean, deviation).map { -$0 / $1 }
  }

  /// The type that the field has afterwards.
  public func outputType(for input: TensorType) throws -> TensorType {
    guard input.dtype == .uint8 || input.dtype == .float32 else {
      throw DataError(
        .invalid, at: "transform Normalize of field '\(field)'", "cannot take \(input)",
        mend: "expected uint8 or float32")
    }
    guard factors.count == 1 || input.shape.first == factors.count else {
      throw DataError(
        .invalid, at: "transform Normalize of field '\(field)'",
        "has \(factors.count) means but \(input) has \(input.shape.first ?? 1) groups",
        mend: "give one mean, or one for each index of the first dimension")
    }
    return input.with(dtype: .float32)
  }

  /// Maps one sample; see `SampleTransform`.
  public func apply(
    _ input: UnsafeRawPointer, type: TensorType, into output: UnsafeMutableRawPointer,
    random _: inout SampleRandom
  ) {
    let size = type.count / factors.count
    let target = output.assumingMemoryBound(to: Float.self)
    for group in 0..<factors.count {
      let (factor, offset) = (factors[group], offsets[group])
      let range = (group * size)..<((group + 1) * size)
      if type.dtype == .uint8 {
        let source = input.assumingMemoryBound(to: UInt8.self)
        for i in range { target[i] = Float(source[i]) * factor + offset }
      } else {
        let source = input.assumingMemoryBound(to: Float.self)
        for i in range { target[i] = source[i] * factor + offset }
      }
    }
  }
}
