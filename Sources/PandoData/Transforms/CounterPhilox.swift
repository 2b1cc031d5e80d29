/// Philox 4×32-10: a counter and a key in, four random words out, with no state between calls.
///
/// J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
package enum CounterPhilox {
  /// The four words that belong to `counter` under `key`.
  @inline(__always)
  package static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (x0, x1, x2, x3) = (counter.x, counter.y, counter.z, counter.w)
    var (k0, k1) = (key.x, key.y)
    for round in 0..<10 {
      if round > 0 {
        k0 &+= 0x9E37_79B9
        k1 &+= 0xBB67_AE85
      }
      let a = UInt64(x0) &* 0xD251_1F53
      let b = UInt64(x2) &* 0xCD9E_8D57
      (x0, x1, x2, x3) = (
        UInt32(truncatingIfNeeded: b &>> 32) ^ x1 ^ k0, UInt32(truncatingIfNeeded: b),
        UInt32(truncatingIfNeeded: a &>> 32) ^ x3 ^ k1, UInt32(truncatingIfNeeded: a)
      )
    }
    return SIMD4(x0, x1, x2, x3)
  }
}

extension SIMD2<UInt32> {
  /// The low and the high half of a 64-bit number.
  package init(halvesOf value: UInt64) {
    self.init(UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32))
  }
}
