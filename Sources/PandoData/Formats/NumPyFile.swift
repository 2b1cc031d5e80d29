import Foundation
import PandoIR

/// NumPy's own formats: `.npy`, one array (versions 1 to 3), and `.npz`, a ZIP archive of them.
public enum NumPyFile {
  /// Reads the array of a `.npy` file. Where the bytes can be used as they are, the array is a view of the mapped
  /// file, which must then not be changed.
  ///
  /// - Throws: `DataError` where the file is missing, truncated, longer than its header says, in Fortran order, or
  ///   of an element type that we do not have.
  public static func read(_ url: URL) throws -> HostArray {
    let file = try MappedFile(url)
    return try parse(file.contents, place: file.place)
  }

  /// Reads every array of a `.npz` file, by name (without the `.npy` that the archive adds).
  ///
  /// - Throws: `DataError` as `read` does, naming the array, and where the archive itself is damaged.
  public static func readArchive(_ url: URL) throws -> [String: HostArray] {
    let archive = try ZipArchive(contentsOf: url)
    var arrays: [String: HostArray] = [:]
    for name in archive.names where name.hasSuffix(".npy") {
      arrays[String(name.dropLast(4))] = try parse(archive.extract(name), place: "\(url.path), array \(name)")
    }
    guard !arrays.isEmpty else {
      throw DataError(.invalid, at: url.path, "holds no NumPy array", mend: "make it with numpy.savez")
    }
    return arrays
  }

  private static func parse(_ storage: ByteStorage, place: String) throws -> HostArray {
    let (header, start) = try storage.withBytes { try readHeader($0, place: place) }
    let type = header.type
    let elements = start..<storage.count
    guard checkedByteCount(type.shape, width: type.dtype.byteCount) == elements.count else {
      throw DataError(
        .malformed, at: place, "its header says \(type) but \(elements.count) bytes of elements follow",
        mend: "it is truncated: save it again")
    }
    let part = ByteStorage(elements, of: storage)
    let isAligned = part.withBytes { Int(bitPattern: $0.baseAddress) % type.dtype.byteCount == 0 }
    if isAligned, !header.isBigEndian { return HostArray(type: type, storage: part) }
    return part.withBytes { bytes in
      HostArray(type: type) { copy in
        copy.copyMemory(from: bytes)
        if header.isBigEndian { swapByteOrder(copy, width: type.dtype.byteCount) }
      }
    }
  }

  /// The header, and where the elements start.
  private static func readHeader(
    _ bytes: UnsafeRawBufferPointer, place: String
  ) throws -> (header: NumPyHeader, start: Int) {
    let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
    guard bytes.starts(with: magic) else { throw DataError(.malformed, at: place, "is not a NumPy array") }
    let version = try bytes.integer(UInt8.self, at: 6, place: place)
    guard (1...3).contains(version) else {
      throw DataError(
        .unsupported, at: place, "is in version \(version) of the format; known are 1, 2 and 3")
    }
    let (textStart, textCount) =
      version == 1
      ? (10, Int(try bytes.integer(UInt16.self, at: 8, place: place)))
      : (12, Int(try bytes.integer(UInt32.self, at: 8, place: place)))
    guard textCount <= min(1 << 20, bytes.count - textStart) else {
      throw DataError(
        .malformed, at: place, "claims a header of \(textCount) bytes but holds \(bytes.count) in all",
        mend: "it is truncated: save it again")
    }
    let start = textStart + textCount
    return (try NumPyHeader(Array(bytes[textStart..<start]), place: place), start)
  }
}
