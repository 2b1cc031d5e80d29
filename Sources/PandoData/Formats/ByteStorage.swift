import Foundation

/// Bytes in memory that never change once made, so threads may share them.
///
/// They can only be reached through a closure: an object whose last use is to hand out a pointer may be freed before
/// the pointer is used.
package final class ByteStorage: @unchecked Sendable {
  private let bytes: UnsafeRawBufferPointer
  private let release: () -> Void

  /// How many bytes there are.
  package var count: Int { bytes.count }

  /// `count` new bytes, aligned for any vector load, all of which `fill` writes.
  package init(count: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
    let pointer = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 64)
    let buffer = UnsafeMutableRawBufferPointer(start: pointer, count: count)
    do { try fill(buffer) } catch {
      pointer.deallocate()
      throw error
    }
    bytes = UnsafeRawBufferPointer(buffer)
    release = { pointer.deallocate() }
  }

  /// Bytes that are freed by `release`, or kept alive by what it captures.
  package init(_ bytes: UnsafeRawBufferPointer, release: @escaping () -> Void) {
    self.bytes = bytes
    self.release = release
  }

  /// A part of other bytes, without a copy.
  package convenience init(_ range: Range<Int>, of whole: ByteStorage) {
    precondition(range.lowerBound >= 0 && range.upperBound <= whole.count, "\(range) is outside the bytes")
    self.init(
      UnsafeRawBufferPointer(rebasing: whole.bytes[range]), release: { withExtendedLifetime(whole) {} })
  }

  deinit { release() }

  /// Calls `body` with the bytes, which are valid only during the call.
  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) { try body(bytes) }
  }
}

/// Throws where `byteCount` bytes, which untrusted input asks for, are more than the machine has.
package func requireMemory(_ byteCount: Int, place: String) throws {
  let available = ProcessInfo.processInfo.physicalMemory
  guard byteCount < available else {
    throw DataError(.invalid, at: place, "needs \(byteCount) bytes of memory; this machine has \(available)")
  }
}
