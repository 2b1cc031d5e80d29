import CZlib
import Foundation

/// What a gzip file (RFC 1952) holds, inflated as it is read; several members follow one another as one.
package final class GzipInput: ByteInput {
  private let file: FileInput
  private let stream: UnsafeMutablePointer<z_stream>
  private let buffer: UnsafeMutableRawBufferPointer
  private var isAtEnd = false

  package var place: String { file.place }
  package var byteLimit: Int { inflatedByteLimit(file.byteLimit) }

  package init(_ file: FileInput) throws {
    self.file = file
    // zlib keeps the stream's address, so it must not move.
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    buffer = .allocate(byteCount: 64 << 10, alignment: 64)
    let gzipOnly: Int32 = 15 + 16
    let code = inflateInit2_(stream, gzipOnly, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else { throw DataError(.system, at: file.place, "zlib cannot start (code \(code))") }
  }

  deinit {
    inflateEnd(stream)
    stream.deinitialize(count: 1)
    stream.deallocate()
    buffer.deallocate()
  }

  package func read(into output: UnsafeMutableRawBufferPointer) throws -> Int {
    let room = min(output.count, 1 << 30)
    guard room > 0, !isAtEnd else { return 0 }
    stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(room)
    while !isAtEnd, Int(stream.pointee.avail_out) == room {
      if stream.pointee.avail_in == 0, try refill() == 0 {
        throw DataError(
          .malformed, at: place, "the gzip data end too early", mend: "the file is truncated: get it again")
      }
      let code = inflate(stream, Z_NO_FLUSH)
      switch code {
      case Z_OK, Z_BUF_ERROR: break
      case Z_STREAM_END: try startNextMember()
      default:
        let reason = stream.pointee.msg.map { String(cString: $0) } ?? "code \(code)"
        throw DataError(.malformed, at: place, "the gzip data are corrupt (\(reason))", mend: "get it again")
      }
    }
    return room - Int(stream.pointee.avail_out)
  }

  private func refill() throws -> Int {
    let count = try file.read(into: buffer)
    stream.pointee.next_in = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(count)
    return count
  }

  private func startNextMember() throws {
    if stream.pointee.avail_in == 0, try refill() == 0 {
      isAtEnd = true
      return
    }
    guard stream.pointee.next_in.pointee == 0x1F else {
      throw DataError(.malformed, at: place, "other bytes follow the gzip data", mend: "get it again")
    }
    inflateReset(stream)
  }
}

/// The most that `count` deflated bytes can become: deflate's densest code gives 1,032 bytes for one.
package func inflatedByteLimit(_ count: Int) -> Int {
  let (bytes, overflow) = count.multipliedReportingOverflow(by: 1032)
  return overflow ? .max : bytes &+ 1032
}

/// Inflates raw deflate data (RFC 1951) into `output`, which they must fill exactly.
package func inflateRaw(
  _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, place: String
) throws {
  var stream = z_stream()
  try withUnsafeMutablePointer(to: &stream) { stream in
    let code = inflateInit2_(stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else { throw DataError(.system, at: place, "zlib cannot start (code \(code))") }
    defer { inflateEnd(stream) }
    var (consumed, produced) = (0, 0)
    var spare: UInt8 = 0
    // zlib counts in 32 bits, so a large entry goes through in pieces.
    while true {
      let before = (consumed, produced)
      let (inCount, outCount) = (min(input.count - consumed, 1 << 30), min(output.count - produced, 1 << 30))
      let next = input.baseAddress.map { UnsafeMutableRawPointer(mutating: $0 + consumed) }
      stream.pointee.next_in = next?.assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_in = UInt32(inCount)
      let code: Int32
      if outCount > 0 {
        let room = output.baseAddress.map { $0 + produced }
        stream.pointee.next_out = room?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(outCount)
        code = inflate(stream, Z_NO_FLUSH)
        produced += outCount - Int(stream.pointee.avail_out)
      } else {
        // The output is full; one spare byte shows whether the data go on.
        code = withUnsafeMutablePointer(to: &spare) {
          stream.pointee.next_out = $0
          stream.pointee.avail_out = 1
          return inflate(stream, Z_NO_FLUSH)
        }
        guard stream.pointee.avail_out == 1 else {
          throw DataError(.malformed, at: place, "inflates to more than the \(output.count) bytes it claims")
        }
      }
      consumed += inCount - Int(stream.pointee.avail_in)
      if code == Z_STREAM_END { break }
      guard code == Z_OK || code == Z_BUF_ERROR, before != (consumed, produced) else {
        throw DataError(
          .malformed, at: place, "the deflated data are corrupt or cut short", mend: "get it again")
      }
    }
    guard produced == output.count else {
      throw DataError(
        .malformed, at: place, "inflates to \(produced) bytes, not the \(output.count) it claims")
    }
  }
}
