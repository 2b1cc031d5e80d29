/// Counter-based random numbers: Philox 4×32-10 (Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2,
/// 3", SC 2011). The same counter and key give the same four words anywhere, in any order.
public enum Philox {
  /// Ten rounds on a counter under a key.
  public static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (c, k) = (counter, key)
    for round in 0..<10 {
      if round > 0 { k &+= SIMD2(0x9E37_79B9, 0xBB67_AE85) }
      let low = UInt64(0xD251_1F53) * UInt64(c[0])
      let high = UInt64(0xCD9E_8D57) * UInt64(c[2])
      c = SIMD4(
        UInt32(truncatingIfNeeded: high >> 32) ^ c[1] ^ k[0], UInt32(truncatingIfNeeded: high),
        UInt32(truncatingIfNeeded: low >> 32) ^ c[3] ^ k[1], UInt32(truncatingIfNeeded: low))
    }
    return c
  }

  /// Block number `index` of a stream at a step: element `i` of a random tensor is word `i % 4` of block `i / 4`.
  public static func block(_ index: UInt64, stream: UInt32, step: UInt64, seed: UInt64) -> SIMD4<UInt32> {
    block(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: index >> 32), stream,
        UInt32(truncatingIfNeeded: step)),
      key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
  }
}
