import CZlib
import Foundation

/// A ZIP archive (PKWARE's APPNOTE.TXT), read by its central directory; entries stored or deflated, with the
/// 64-bit extension, without encryption.
package struct ZipArchive {
  private struct Entry {
    var method: UInt16
    var flags: UInt16
    var checksum: UInt32
    var compressedCount: Int
    var count: Int
    var headerStart: Int
  }

  /// The entries' names in the archive's order.
  package private(set) var names: [String] = []
  private var entries: [String: Entry] = [:]
  private let file: MappedFile

  /// Reads and checks the directory.
  package init(contentsOf url: URL) throws {
    file = try MappedFile(url)
    let file = self.file
    try file.withBytes { try readDirectory($0) }
  }

  private mutating func readDirectory(_ bytes: UnsafeRawBufferPointer) throws {
    let (start, size, count) = try Self.locateDirectory(bytes, place: file.place)
    guard start >= 0, size >= 0, start <= bytes.count, size <= bytes.count - start,
      count <= size / 46
    else {
      throw DataError(
        .malformed, at: file.place, "its ZIP directory lies outside the file",
        mend: "it is truncated: get it again")
    }
    var offset = start
    for _ in 0..<count { offset = try addEntry(bytes, at: offset, end: start + size) }
  }

  /// The contents of an entry, whose length and checksum are verified.
  package func extract(_ name: String) throws -> ByteStorage {
    try file.withBytes { try extract(name, from: $0) }
  }

  private func extract(_ name: String, from bytes: UnsafeRawBufferPointer) throws -> ByteStorage {
    let place = "\(file.place), entry \(name)"
    guard let entry = entries[name] else { throw DataError(.notFound, at: place, "is not in the archive") }
    guard entry.flags & 1 == 0 else { throw DataError(.unsupported, at: place, "is encrypted") }
    guard try bytes.integer(UInt32.self, at: entry.headerStart, place: place) == 0x0403_4B50 else {
      throw DataError(
        .malformed, at: place, "has no ZIP header where the directory says", mend: "get it again")
    }
    let nameCount = Int(try bytes.integer(UInt16.self, at: entry.headerStart + 26, place: place))
    let extraCount = Int(try bytes.integer(UInt16.self, at: entry.headerStart + 28, place: place))
    let start = entry.headerStart + 30 + nameCount + extraCount
    guard start <= bytes.count, entry.compressedCount <= bytes.count - start,
      entry.count <= inflatedByteLimit(entry.compressedCount)
    else {
      throw DataError(
        .malformed, at: place, "claims more bytes than the file can hold",
        mend: "it is truncated: get it again")
    }
    try requireMemory(entry.count, place: place)
    let input = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + entry.compressedCount)])
    let contents = try ByteStorage(count: entry.count) { output in
      switch entry.method {
      case 0:
        guard input.count == output.count else {
          throw DataError(.malformed, at: place, "stores \(input.count) bytes but claims \(output.count)")
        }
        output.copyMemory(from: input)
      case 8: try inflateRaw(input, into: output, place: place)
      default: throw DataError(.unsupported, at: place, "is packed with ZIP method \(entry.method)")
      }
    }
    guard contents.withBytes(checksum) == entry.checksum else {
      throw DataError(.malformed, at: place, "does not match its checksum", mend: "get it again")
    }
    return contents
  }

  /// The directory's place, size and number of entries, from the record at the archive's end.
  private static func locateDirectory(
    _ bytes: UnsafeRawBufferPointer, place: String
  ) throws -> (start: Int, size: Int, count: Int) {
    // A comment of up to 65,535 bytes may follow the 22 bytes of the record.
    let lowest = max(0, bytes.count - 22 - 0xFFFF)
    var candidate = bytes.count - 22
    while candidate >= lowest, try bytes.integer(UInt32.self, at: candidate, place: place) != 0x0605_4B50 {
      candidate -= 1
    }
    guard candidate >= lowest, candidate >= 0 else {
      throw DataError(
        .malformed, at: place, "has no ZIP directory at its end",
        mend: "it is truncated or not a ZIP archive: get it again")
    }
    let count = Int(try bytes.integer(UInt16.self, at: candidate + 10, place: place))
    let size = Int(try bytes.integer(UInt32.self, at: candidate + 12, place: place))
    let start = Int(try bytes.integer(UInt32.self, at: candidate + 16, place: place))
    guard count == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF, candidate >= 20,
      try bytes.integer(UInt32.self, at: candidate - 20, place: place) == 0x0706_4B50
    else { return (start, size, count) }
    let record = try integer64(bytes, at: candidate - 12, place: place)
    guard try bytes.integer(UInt32.self, at: record, place: place) == 0x0606_4B50 else {
      throw DataError(.malformed, at: place, "its 64-bit ZIP directory is missing", mend: "get it again")
    }
    return (
      try integer64(bytes, at: record + 48, place: place),
      try integer64(bytes, at: record + 40, place: place),
      try integer64(bytes, at: record + 32, place: place)
    )
  }

  /// Reads one directory entry and returns where the next one starts.
  private mutating func addEntry(
    _ bytes: UnsafeRawBufferPointer, at offset: Int, end: Int
  ) throws -> Int {
    let place = file.place
    guard offset <= end - 46, try bytes.integer(UInt32.self, at: offset, place: place) == 0x0201_4B50 else {
      throw DataError(.malformed, at: place, "its ZIP directory is damaged", mend: "get it again")
    }
    let nameCount = Int(try bytes.integer(UInt16.self, at: offset + 28, place: place))
    let extraCount = Int(try bytes.integer(UInt16.self, at: offset + 30, place: place))
    let commentCount = Int(try bytes.integer(UInt16.self, at: offset + 32, place: place))
    let next = offset + 46 + nameCount + extraCount + commentCount
    guard next <= end else {
      throw DataError(.malformed, at: place, "its ZIP directory is damaged", mend: "get it again")
    }
    let name = String(decoding: bytes[(offset + 46)..<(offset + 46 + nameCount)], as: UTF8.self)
    var entry = Entry(
      method: try bytes.integer(UInt16.self, at: offset + 10, place: place),
      flags: try bytes.integer(UInt16.self, at: offset + 8, place: place),
      checksum: try bytes.integer(UInt32.self, at: offset + 16, place: place),
      compressedCount: Int(try bytes.integer(UInt32.self, at: offset + 20, place: place)),
      count: Int(try bytes.integer(UInt32.self, at: offset + 24, place: place)),
      headerStart: Int(try bytes.integer(UInt32.self, at: offset + 42, place: place)))
    try widen(
      &entry, in: bytes, extra: (offset + 46 + nameCount)..<(offset + 46 + nameCount + extraCount))
    if entries.updateValue(entry, forKey: name) == nil { names.append(name) }
    return next
  }

  /// Replaces sizes that did not fit 32 bits by those of the 64-bit extension, where it is present.
  private func widen(_ entry: inout Entry, in bytes: UnsafeRawBufferPointer, extra: Range<Int>) throws {
    var offset = extra.lowerBound
    while offset + 4 <= extra.upperBound {
      let tag = try bytes.integer(UInt16.self, at: offset, place: file.place)
      let size = Int(try bytes.integer(UInt16.self, at: offset + 2, place: file.place))
      offset += 4
      if tag == 1 {
        var field = offset
        for path in [\Entry.count, \Entry.compressedCount, \Entry.headerStart]
        where entry[keyPath: path] == 0xFFFF_FFFF {
          entry[keyPath: path] = try Self.integer64(bytes, at: field, place: file.place)
          field += 8
        }
      }
      offset += size
    }
  }

  private static func integer64(
    _ bytes: UnsafeRawBufferPointer, at offset: Int, place: String
  ) throws -> Int {
    let value = try bytes.integer(UInt64.self, at: offset, place: place)
    guard let value = Int(exactly: value) else {
      throw DataError(
        .malformed, at: place, "claims \(value) bytes in its ZIP directory", mend: "get it again")
    }
    return value
  }

  private func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var (sum, done) = (crc32(0, nil, 0), 0)
    while done < bytes.count {
      let count = min(bytes.count - done, 1 << 30)
      let start = bytes.baseAddress.map { $0 + done }
      sum = crc32(sum, start?.assumingMemoryBound(to: UInt8.self), UInt32(count))
      done += count
    }
    return UInt32(truncatingIfNeeded: sum)
  }
}
