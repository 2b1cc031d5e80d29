import Foundation

/// Bytes that are read from front to back: a file, or what a compressed file holds.
package protocol ByteInput: AnyObject {
  /// The file, for messages.
  var place: String { get }
  /// No more bytes than this can follow from the start: what a header claims is checked against it before
  /// anything is allocated.
  var byteLimit: Int { get }
  /// Reads up to `buffer.count` bytes; 0 at the end only.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

extension ByteInput {
  /// Fills `buffer`; the file ending first is an error that says what was being read.
  package func readExactly(into buffer: UnsafeMutableRawBufferPointer, _ what: String) throws {
    var filled = 0
    while filled < buffer.count {
      let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
      guard count > 0 else {
        throw DataError(
          .malformed, at: place, "ends after \(filled) of the \(buffer.count) bytes of its \(what)",
          mend: "the file is truncated: get it again")
      }
      filled += count
    }
  }

  /// Requires that nothing is left, which for a compressed file also checks its checksum.
  package func expectEnd() throws {
    var byte: UInt8 = 0
    let count = try withUnsafeMutableBytes(of: &byte) { try read(into: $0) }
    guard count == 0 else {
      throw DataError(.malformed, at: place, "holds more bytes than its header says", mend: "get it again")
    }
  }

  /// Everything that is left, which must not exceed `limit` bytes.
  package func readAll(limit: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = 64 << 10
    while true {
      let start = bytes.count
      bytes.append(contentsOf: repeatElement(0, count: chunk))
      let count = try bytes.withUnsafeMutableBytes {
        try read(into: UnsafeMutableRawBufferPointer(rebasing: $0[start...]))
      }
      bytes.removeLast(chunk - count)
      if count == 0 { return bytes }
      guard bytes.count <= limit else {
        throw DataError(.invalid, at: place, "holds more than the \(limit) bytes that are allowed here")
      }
      chunk = min(max(chunk, bytes.count), 64 << 20)
    }
  }
}

/// A file as it is on disk.
package final class FileInput: ByteInput {
  package let place: String
  package let byteLimit: Int
  private let descriptor: Int32

  package init(_ url: URL) throws {
    place = url.path
    descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      byteLimit = 0
      throw DataError.system("open", at: url.path)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      byteLimit = 0
      throw DataError.system("inspect", at: url.path)
    }
    byteLimit = Int(status.st_size)
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw DataError(.invalid, at: url.path, "is a folder, expected a file")
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard let start = buffer.baseAddress, buffer.count > 0 else { return 0 }
    while true {
      let count = systemRead(descriptor, start, buffer.count)
      if count >= 0 { return count }
      guard errno == EINTR else { throw DataError.system("read", at: place) }
    }
  }

  /// Goes back to the first byte.
  package func rewind() throws {
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw DataError.system("read", at: place) }
  }
}

/// Opens a file, and inflates it where it starts as gzip does, whatever its name.
package func openInput(_ url: URL) throws -> any ByteInput {
  let file = try FileInput(url)
  var magic: (UInt8, UInt8) = (0, 0)
  let count = try withUnsafeMutableBytes(of: &magic) { try file.read(into: $0) }
  try file.rewind()
  return count == 2 && magic.0 == 0x1F && magic.1 == 0x8B ? try GzipInput(file) : file
}

/// The C function, under a name that methods called `read` do not hide.
private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
  read(descriptor, buffer, count)
}
