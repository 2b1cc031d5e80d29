extension SIMD2<UInt32> {
  /// The low and the high half of a 64-bit number.
  package init(halvesOf value: UInt64) {
    self.init(UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32))
  }
}
