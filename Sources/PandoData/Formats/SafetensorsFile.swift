import Foundation
import PandoIR

/// A safetensors file (https://github.com/huggingface/safetensors), mapped into memory: opening reads only the
/// header, a tensor's bytes are loaded when they are used.
public struct SafetensorsFile: Sendable {
  /// The tensors' names, sorted.
  public let names: [String]
  /// Free text that the writer stored beside the tensors.
  public var metadata: [String: String] { header.metadata }

  private let file: MappedFile
  private let header: SafetensorsHeader
  private let dataStart: Int

  /// Opens a file and checks its whole header.
  ///
  /// - Throws: `DataError` where the file is missing, truncated or inconsistent: sizes that do not match shapes,
  ///   tensors that overlap, leave gaps or lie outside the file.
  public init(contentsOf url: URL) throws {
    file = try MappedFile(url)
    let place = file.place
    let claimed = try file.withBytes { try $0.integer(UInt64.self, at: 0, place: place) }
    guard claimed <= UInt64(min(file.count - 8, SafetensorsHeader.longest)) else {
      throw DataError(
        .malformed, at: file.place,
        "claims a header of \(claimed) bytes but holds \(file.count) in all",
        mend: "it is truncated or not a safetensors file")
    }
    let length = Int(claimed)
    dataStart = 8 + length
    let json = file.withBytes { Data(UnsafeRawBufferPointer(rebasing: $0[8..<(8 + length)])) }
    header = try SafetensorsHeader(json: json, dataCount: file.count - dataStart, place: file.place)
    names = header.entries.keys.sorted()
  }

  /// The type of a tensor; `nil` where there is none of that name.
  public func type(of name: String) -> TensorType? { header.entries[name]?.type }

  /// A tensor's bytes, little-endian and row-major, without a copy; the data keep the mapping alive.
  ///
  /// - Throws: `DataError` with the nearest name where there is none of that name.
  public func bytes(of name: String) throws -> Data {
    let file = self.file
    return try withBytes(of: name) { bytes in
      guard let start = bytes.baseAddress, bytes.count > 0 else { return Data() }
      return Data(
        bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: bytes.count,
        deallocator: .custom { _, _ in withExtendedLifetime(file) {} })
    }
  }

  /// Calls `body` with a tensor's bytes, which are valid only during the call.
  ///
  /// - Throws: `DataError` with the nearest name where there is none of that name, or what `body` throws.
  public func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard let entry = header.entries[name] else { throw missing(name) }
    let range = (dataStart + entry.range.lowerBound)..<(dataStart + entry.range.upperBound)
    return try file.withBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }

  /// A tensor as an array of its own.
  ///
  /// - Throws: `DataError` with the nearest name where there is none of that name.
  public func array(_ name: String) throws -> HostArray {
    guard let type = type(of: name) else { throw missing(name) }
    return try withBytes(of: name) { bytes in HostArray(type: type) { $0.copyMemory(from: bytes) } }
  }

  private func missing(_ name: String) -> DataError {
    let near = nearestName(to: name, among: names).map { "; did you mean \($0)?" } ?? ""
    return DataError(
      .notFound, at: file.place, "holds no tensor called \(name) among its \(names.count)\(near)")
  }
}
