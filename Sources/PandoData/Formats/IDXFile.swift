import Foundation
import PandoIR

/// The IDX format of the MNIST family: big-endian header and elements, plain or gzip.
///
/// Two zero bytes, a type code, the number of dimensions, each size as 32 bits, then the elements row-major
/// (http://yann.lecun.com/exdb/mnist, section "The IDX file format").
public enum IDXFile {
  /// Reads the array that a file holds.
  ///
  /// - Throws: `DataError` where the file is missing, truncated, corrupt, longer than its header says, or its
  ///   header claims more elements than it can hold (checked before anything is allocated).
  public static func read(_ url: URL) throws -> HostArray {
    let input = try openInput(url)
    var magic = [UInt8](repeating: 0, count: 4)
    try magic.withUnsafeMutableBytes { try input.readExactly(into: $0, "header") }
    guard magic[0] == 0, magic[1] == 0, magic[3] <= 8 else {
      throw DataError(.malformed, at: input.place, "is not an IDX file (it starts with \(magic))")
    }
    let dtype = try elementType(code: magic[2], place: input.place)
    var sizes = [UInt32](repeating: 0, count: Int(magic[3]))
    try sizes.withUnsafeMutableBytes { try input.readExactly(into: $0, "header") }
    let shape = sizes.map { Int(UInt32(bigEndian: $0)) }
    let headerBytes = 4 + 4 * shape.count
    guard let byteCount = checkedByteCount(shape, width: dtype.byteCount),
      byteCount <= input.byteLimit - headerBytes
    else {
      throw DataError(
        .malformed, at: input.place,
        "its header claims \(TensorType(shape, dtype)), more than the file can hold", mend: "get it again")
    }
    try requireMemory(byteCount, place: input.place)
    let array = try HostArray(type: TensorType(shape, dtype)) { bytes in
      try input.readExactly(into: bytes, "elements")
      swapByteOrder(bytes, width: dtype.byteCount)
    }
    try input.expectEnd()
    return array
  }

  private static func elementType(code: UInt8, place: String) throws -> DType {
    switch code {
    case 0x08: return .uint8
    case 0x09: return .int8
    case 0x0C: return .int32
    case 0x0D: return .float32
    case 0x0E: return .float64
    case 0x0B: throw DataError(.unsupported, at: place, "holds 16-bit integers", mend: "save it as 32-bit")
    default: throw DataError(.malformed, at: place, "is not an IDX file (type code \(code))")
    }
  }
}
