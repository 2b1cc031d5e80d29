/// Finds the elements of a vector that are the largest by magnitude, in three passes however many they are.
package struct LargestElements {
  /// How often each leading and each trailing half of a magnitude's bits occurs.
  private var histogram = [Int32](repeating: 0, count: 1 << 16)

  package init() {}

  /// Writes the places of the `count` largest elements of `values`, in ascending order. Of equal magnitudes those that
  /// come first are taken; NaN counts as larger than any number.
  package mutating func find(
    _ values: UnsafeBufferPointer<Float>, count: Int, into places: UnsafeMutablePointer<Int32>
  ) {
    precondition(count <= values.count && values.count <= Int(Int32.max), "too many elements")
    // A float's bits without the sign are in the order of its magnitude: first the 16 leading bits decide, then 15.
    let (leading, above) = Self.bucket(of: count, &histogram, values) { $0 >> 15 }
    let (trailing, equalAbove) = Self.bucket(of: count - above, &histogram, values) {
      $0 >> 15 == leading ? $0 & 0x7FFF : nil
    }
    let least = leading << 15 | trailing
    var equal = count - above - equalAbove
    var next = 0
    for (place, value) in values.enumerated() {
      let magnitude = value.bitPattern & 0x7FFF_FFFF
      guard magnitude >= least else { continue }
      if magnitude == least {
        guard equal > 0 else { continue }
        equal -= 1
      }
      places[next] = Int32(truncatingIfNeeded: place)
      next += 1
    }
  }

  /// The key of the `rank`th largest element, and how many elements have larger ones.
  private static func bucket(
    of rank: Int, _ histogram: inout [Int32], _ values: UnsafeBufferPointer<Float>,
    key: (UInt32) -> UInt32?
  ) -> (key: UInt32, above: Int) {
    histogram.withUnsafeMutableBufferPointer { histogram in
      histogram.update(repeating: 0)
      for value in values {
        if let key = key(value.bitPattern & 0x7FFF_FFFF) { histogram[Int(key)] += 1 }
      }
      var above = 0
      for key in histogram.indices.reversed() {
        let count = Int(histogram[key])
        if above + count >= rank { return (UInt32(key), above) }
        above += count
      }
      return (0, above)
    }
  }
}
