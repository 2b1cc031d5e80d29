extension UnsafeMutableRawPointer? {
  /// The same address, as 32-bit floats.
  var floats: UnsafeMutablePointer<Float>? { self?.assumingMemoryBound(to: Float.self) }
}
