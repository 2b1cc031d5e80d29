/// Turns big-endian elements of `width` bytes (1, 2, 4 or 8) into little-endian ones, in place.
package func swapByteOrder(_ bytes: UnsafeMutableRawBufferPointer, width: Int) {
  func swap<Word: FixedWidthInteger & BitwiseCopyable>(_: Word.Type) {
    for offset in stride(from: 0, to: bytes.count - width + 1, by: width) {
      let word = bytes.loadUnaligned(fromByteOffset: offset, as: Word.self)
      bytes.storeBytes(of: word.byteSwapped, toByteOffset: offset, as: Word.self)
    }
  }
  switch width {
  case 2: swap(UInt16.self)
  case 4: swap(UInt32.self)
  case 8: swap(UInt64.self)
  default: break
  }
}

/// Product of `sizes` times `width`, or `nil` where a size is negative or the product overflows.
package func checkedByteCount(_ sizes: [Int], width: Int) -> Int? {
  // A zero elsewhere must not hide sizes that overflow, since strides are computed from them too.
  var product = width
  for size in sizes {
    guard size >= 0 else { return nil }
    let (next, overflow) = product.multipliedReportingOverflow(by: max(size, 1))
    guard !overflow else { return nil }
    product = next
  }
  return sizes.contains(0) ? 0 : product
}
