import Foundation

/// A whole file, read-only, mapped into memory: its pages are loaded when they are first touched.
package struct MappedFile: Sendable {
  /// The file's path, for messages.
  package let place: String
  /// Every byte of the file.
  package let contents: ByteStorage

  /// Maps the file at `url`.
  package init(_ url: URL) throws {
    place = url.path
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DataError.system("open", at: url.path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw DataError.system("inspect", at: url.path) }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw DataError(.invalid, at: url.path, "is a folder, expected a file")
    }
    let count = Int(status.st_size)
    guard count > 0 else {
      contents = ByteStorage(UnsafeRawBufferPointer(start: nil, count: 0)) {}
      return
    }
    guard let start = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw DataError.system("map", at: url.path)
    }
    contents = ByteStorage(UnsafeRawBufferPointer(start: start, count: count)) { munmap(start, count) }
  }

  /// How many bytes the file has.
  package var count: Int { contents.count }

  /// Calls `body` with every byte, valid only during the call.
  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try contents.withBytes(body)
  }
}

extension UnsafeRawBufferPointer {
  /// A little-endian integer at a byte offset, or an error that says the file ends before it.
  package func integer<Value: FixedWidthInteger & BitwiseCopyable>(
    _: Value.Type, at offset: Int, place: String
  ) throws -> Value {
    guard offset >= 0, offset <= count - MemoryLayout<Value>.size else {
      throw DataError(
        .malformed, at: place, "ends at byte \(count), before the header that starts at \(offset)",
        mend: "the file is truncated: get it again")
    }
    return Value(littleEndian: loadUnaligned(fromByteOffset: offset, as: Value.self))
  }
}
