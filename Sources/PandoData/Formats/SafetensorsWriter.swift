import Foundation
import PandoIR

/// Writes safetensors files.
public enum SafetensorsWriter {
  /// A tensor to be written: its bytes are little-endian and row-major, `type.byteCount` of them.
  public typealias Tensor = (name: String, type: TensorType, bytes: UnsafeRawBufferPointer)

  /// Writes `tensors` and `metadata` to `url`, all or nothing (see `AtomicFile`).
  ///
  /// The file depends only on what is written, not on the order of `tensors`. The header lists them by name; the
  /// data lie widest elements first, then by name, so that every tensor starts at a multiple of its element's
  /// size. The header is padded to a multiple of 8 bytes.
  ///
  /// - Parameter didWrite: is told of each tensor that has been written, by its place in `tensors`.
  /// - Throws: `DataError` where two tensors share a name, a name is `__metadata__`, or the file cannot be written.
  public static func write(
    _ tensors: [Tensor], metadata: [String: String] = [:], to url: URL, didWrite: (Int) -> Void = { _ in }
  ) throws {
    try AtomicFile.write(to: url) {
      try write(tensors, metadata: metadata, to: $0, place: url.path, didWrite: didWrite)
    }
  }

  package static func write(
    _ tensors: [Tensor], metadata: [String: String], to sink: FileSink, place: String,
    didWrite: (Int) -> Void = { _ in }
  ) throws {
    var names = Set<String>()
    for tensor in tensors {
      precondition(
        tensor.bytes.count == tensor.type.byteCount, "\(tensor.name): bytes do not fill \(tensor.type)")
      guard tensor.name != SafetensorsHeader.metadataKey, names.insert(tensor.name).inserted else {
        throw DataError(
          .invalid, at: place, "cannot hold a second tensor called \(tensor.name)", mend: "rename it")
      }
    }
    let placed = tensors.sorted {
      (-$0.type.dtype.byteCount, $0.name) < (-$1.type.dtype.byteCount, $1.name)
    }
    var entries: [(name: String, text: String)] = []
    var offset = 0
    for (name, type, bytes) in placed {
      let shape = type.shape.map(String.init).joined(separator: ",")
      entries.append(
        (
          name,
          "{\"dtype\":\"\(type.dtype.safetensorsName)\",\"shape\":[\(shape)],"
            + "\"data_offsets\":[\(offset),\(offset + bytes.count)]}"
        ))
      offset += bytes.count
    }
    entries.sort { $0.name < $1.name }
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }.map { "\(jsonString($0)):\(jsonString($1))" }
      entries.insert((SafetensorsHeader.metadataKey, "{\(pairs.joined(separator: ","))}"), at: 0)
    }
    var header = Array("{\(entries.map { "\(jsonString($0.name)):\($0.text)" }.joined(separator: ","))}".utf8)
    header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
    try withUnsafeBytes(of: UInt64(header.count).littleEndian) { try sink.write($0) }
    try header.withUnsafeBytes { try sink.write($0) }
    let places = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
    for tensor in placed {
      try sink.write(tensor.bytes)
      didWrite(places[tensor.name]!)
    }
  }

  private static func jsonString(_ text: String) -> String {
    var json = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": json += "\\\""
      case "\\": json += "\\\\"
      case "\u{0}"..<" ": json += "\\u" + String(scalar.value + 0x10000, radix: 16).dropFirst()
      default: json.unicodeScalars.append(scalar)
      }
    }
    return json + "\""
  }
}
