extension UnsafeMutableRawPointer? {
  /// The same address, as 32-bit floats.
  var floats: UnsafeMutablePointer<Float>? { self?.assumingMemoryBound(to: Float.self) }
  /// The same address, as 16-bit elements.
  var halves: UnsafeMutablePointer<UInt16>? { self?.assumingMemoryBound(to: UInt16.self) }
}
