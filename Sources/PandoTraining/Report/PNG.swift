import Foundation

/// Writes PNG images (ISO/IEC 15948) without compression: the images of a report are a few hundred pixels.
package enum PNG {
  /// The image as a PNG file.
  package static func encode(_ image: ReportData.Image) -> [UInt8] {
    var header = bigEndian(UInt32(image.width)) + bigEndian(UInt32(image.height))
    header += [8, image.channels == 3 ? 2 : 0, 0, 0, 0]
    var scanlines: [UInt8] = []
    let rowSize = image.width * image.channels
    for row in 0..<image.height { scanlines += [0] + image.pixels[(row * rowSize)..<((row + 1) * rowSize)] }
    return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
      + chunk("IHDR", header) + chunk("IDAT", stored(scanlines)) + chunk("IEND", [])
  }

  /// The image as an address that holds it: `data:image/png;base64,…`.
  package static func dataURI(_ image: ReportData.Image) -> String {
    "data:image/png;base64," + Data(encode(image)).base64EncodedString()
  }

  private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + content
    return bigEndian(UInt32(content.count)) + body + bigEndian(crc32(body))
  }

  /// A zlib stream (RFC 1950) of stored blocks (RFC 1951, section 3.2.4).
  private static func stored(_ bytes: [UInt8]) -> [UInt8] {
    var stream: [UInt8] = [0x78, 0x01]
    for start in stride(from: 0, to: bytes.count, by: 65535) {
      let block = bytes[start..<min(start + 65535, bytes.count)]
      let length = UInt16(block.count)
      stream.append(block.endIndex == bytes.count ? 1 : 0)
      for value in [length, ~length] { stream += [UInt8(value & 0xff), UInt8(value >> 8)] }
      stream += block
    }
    return stream + bigEndian(adler32(bytes))
  }

  private static func adler32(_ bytes: [UInt8]) -> UInt32 {
    var (low, high): (UInt32, UInt32) = (1, 0)
    for byte in bytes {
      low = (low + UInt32(byte)) % 65521
      high = (high + low) % 65521
    }
    return high << 16 | low
  }

  private static let crcTable: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? (value >> 1) ^ 0xedb8_8320 : value >> 1 }
  }

  private static func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { crcTable[Int(($0 ^ UInt32($1)) & 0xff)] ^ ($0 >> 8) }
  }

  private static func bigEndian(_ value: UInt32) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
  }
}
