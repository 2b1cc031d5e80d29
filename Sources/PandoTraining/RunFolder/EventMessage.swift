/// One `Event` message of TensorBoard's event files, encoded by hand: of protobuf it needs only four field
/// types.
package struct EventMessage {
  /// What the event says.
  package enum Content {
    /// The first event of each file.
    case fileVersion
    /// Figures, each under its name.
    case scalars([(tag: String, value: Float)])
    /// A run goes on here: TensorBoard forgets what it knew of this step and those after it.
    case restart
  }

  package var wallTime: Double
  package var step: Int
  package var content: Content

  package init(wallTime: Double, step: Int, content: Content) {
    (self.wallTime, self.step, self.content) = (wallTime, step, content)
  }

  /// The message with the framing of a TFRecord: length, checksum of the length, bytes, checksum of the
  /// bytes.
  package var record: [UInt8] {
    let message = bytes
    let length = littleEndian(UInt64(message.count))
    return length + littleEndian(CRC32C.masked(length)) + message + littleEndian(CRC32C.masked(message))
  }

  /// The protobuf message; field numbers are those of `tensorboard/compat/proto/event.proto` and
  /// `summary.proto`.
  package var bytes: [UInt8] {
    var result = key(1, .fixed64) + littleEndian(wallTime.bitPattern)
    if step != 0 { result += key(2, .varint) + varint(UInt64(bitPattern: Int64(step))) }
    switch content {
    case .fileVersion: result += delimited(3, Array("brain.Event:2".utf8))
    case .scalars(let scalars):
      let values = scalars.flatMap { tag, value in
        delimited(1, delimited(1, Array(tag.utf8)) + key(2, .fixed32) + littleEndian(value.bitPattern))
      }
      result += delimited(5, values)
    case .restart: result += delimited(7, key(1, .varint) + varint(1))
    }
    return result
  }

  private enum WireType: UInt64 {
    case varint = 0, fixed64 = 1, delimited = 2, fixed32 = 5
  }

  private func key(_ field: UInt64, _ type: WireType) -> [UInt8] { varint(field << 3 | type.rawValue) }

  private func delimited(_ field: UInt64, _ content: [UInt8]) -> [UInt8] {
    key(field, .delimited) + varint(UInt64(content.count)) + content
  }

  private func varint(_ value: UInt64) -> [UInt8] {
    var (rest, bytes) = (value, [UInt8]())
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}
