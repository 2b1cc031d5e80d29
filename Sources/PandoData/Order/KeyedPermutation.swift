import PandoIR

/// A permutation of `0..<count`, chosen by a key, that needs no table.
///
/// A Feistel network permutes the smallest range of an even number of bits that holds `count`; a result outside
/// `0..<count` is fed back until it falls inside (cycle walking), which takes fewer than four rounds through the
/// network on average. J. Black, P. Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002.
public struct KeyedPermutation: Sendable {
  /// How many values are permuted.
  public let count: Int
  private let halfBits: UInt64
  private let halfMask: UInt64
  private let roundKeys: (SIMD4<UInt32>, SIMD4<UInt32>)

  /// The permutation of `0..<count` (at least 1) for this seed and epoch.
  public init(count: Int, seed: UInt64, epoch: Int) {
    precondition(count >= 1, "nothing to permute")
    self.count = count
    let bits = UInt64(Int.bitWidth - (count - 1).leadingZeroBitCount)
    halfBits = max((bits + 1) / 2, 1)
    halfMask = (1 << halfBits) - 1
    let epoch = SIMD2(halvesOf: UInt64(bitPattern: Int64(epoch)))
    // The third word keeps these numbers apart from those of transforms, which count up from 0 there.
    let purpose: UInt32 = 0x4F52_4452
    let key = SIMD2(halvesOf: seed)
    roundKeys = (
      Philox.block(counter: SIMD4(epoch.x, epoch.y, purpose, 0), key: key),
      Philox.block(counter: SIMD4(epoch.x, epoch.y, purpose, 1), key: key)
    )
  }

  /// Where `index` (in `0..<count`) goes.
  public subscript(index: Int) -> Int {
    precondition(index >= 0 && index < count, "index \(index) is outside 0..<\(count)")
    var value = UInt64(index)
    repeat { value = network(value) } while value >= UInt64(count)
    return Int(value)
  }

  @inline(__always)
  private func network(_ value: UInt64) -> UInt64 {
    var (left, right) = (value >> halfBits, value & halfMask)
    for round in 0..<4 { (left, right) = (right, left ^ mix(right, roundKeys.0[round]) & halfMask) }
    for round in 0..<4 { (left, right) = (right, left ^ mix(right, roundKeys.1[round]) & halfMask) }
    return left << halfBits | right
  }

  /// Spreads half a value and a round key over all bits (multiplications by odd numbers, shifts).
  @inline(__always)
  private func mix(_ half: UInt64, _ key: UInt32) -> UInt64 {
    var x = (half ^ UInt64(key)) &* 0x9E37_79B9_7F4A_7C15
    x = (x ^ (x >> 32)) &* 0xD6E8_FEB8_6659_FD93
    return x ^ (x >> 32)
  }
}
