import PandoEngine
import PandoIR
import PandoOperations

/// A source of random numbers that is a value: it is passed, never global.
///
/// Numbers are a function of the seed, the step, the number of the draw and the element's place (Philox 4×32-10), so
/// they do not depend on threads, workers or on what else is drawn. A copy draws the same numbers again.
///
///     var random = Random(seed: 7)
///     let noise = random.normal([2, 3])
public struct Random: Sendable {
  /// Seed and step, `int64[2]`: what a compiled program is given anew for each step.
  public let key: Tensor
  private var draws = 0

  /// The numbers of `seed` at `step`.
  public init(seed: UInt64, step: Int = 0) {
    self.init(key: Tensor(HostBuffer(TensorType([2], .int64), [Int64(bitPattern: seed), Int64(step)])))
  }

  /// The numbers of a key that may be a placeholder; a key that is not `int64[2]` is an error where numbers are drawn.
  public init(key: Tensor) { self.key = key }

  /// The number of a stream that no other draw of this source uses.
  public mutating func nextStream() -> Int {
    defer { draws += 1 }
    return draws
  }

  /// Uniform numbers in `[low, high)`, multiples of 2⁻²⁴ of the range in float32.
  public mutating func uniform(
    _ shape: [Int], in range: Range<Double> = 0..<1, dtype: DType = .float32
  ) -> Tensor {
    let unit = Tensor.emit(RandomUniform(shape: shape, dtype: dtype, stream: nextStream()), [key])
    return range == 0..<1 ? unit : unit * (range.upperBound - range.lowerBound) + range.lowerBound
  }

  /// Normal numbers.
  public mutating func normal(
    _ shape: [Int], mean: Double = 0, deviation: Double = 1, dtype: DType = .float32
  ) -> Tensor {
    let standard = Tensor.emit(RandomNormal(shape: shape, dtype: dtype, stream: nextStream()), [key])
    return mean == 0 && deviation == 1 ? standard : standard * deviation + mean
  }

  /// Truth values that are true with `probability`.
  public mutating func bernoulli(_ shape: [Int], probability: Double) -> Tensor {
    .emit(RandomBernoulli(shape: shape, probability: probability, stream: nextStream()), [key])
  }
}
