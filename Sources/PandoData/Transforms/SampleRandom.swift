import PandoIR

/// The random numbers that belong to one sample in one transform.
///
/// They are a function of the seed, the sample's global position in the run and the transform's place in the
/// pipeline, so they do not depend on batches, threads, or what was drawn before.
public struct SampleRandom: Sendable {
  private let key: SIMD2<UInt32>
  private var counter: SIMD4<UInt32>
  private var words = SIMD4<UInt32>()
  private var used = 4

  /// The numbers for the sample at global position `position`, in transform number `stage` (0…).
  public init(seed: UInt64, position: Int, stage: Int) {
    key = SIMD2(halvesOf: seed)
    let place = SIMD2(halvesOf: UInt64(position))
    counter = SIMD4(place.x, place.y, UInt32(stage), 0)
  }

  /// The next 32 random bits.
  public mutating func next() -> UInt32 {
    if used == 4 {
      words = Philox.block(counter: counter, key: key)
      counter.w &+= 1
      used = 0
    }
    defer { used += 1 }
    return words[used]
  }

  /// A whole number in `0..<bound`; its bias is below `bound / 2^32`.
  public mutating func integer(below bound: Int) -> Int {
    precondition(bound > 0 && bound <= Int(UInt32.max), "bound \(bound) is out of range")
    return Int((UInt64(next()) &* UInt64(bound)) >> 32)
  }

  /// A number in [0, 1), in steps of 2^-24.
  public mutating func uniform() -> Float { Float(next() >> 8) * 0x1p-24 }
}
