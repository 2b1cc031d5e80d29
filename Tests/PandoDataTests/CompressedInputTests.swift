import Foundation
import PandoData
import PandoIR
import Testing

/// `idx([2, 2, 3], 0..<12)`, compressed by gzip.
private let compressedIDX = "H4sIAAAAAAACA2Ng4GBmYGBggmJmBkYmZhZWNnYOTi5uAHgeI4QcAAAA"
/// `one ` and `two`, compressed one after the other.
private let twoMembers = "H4sIAAAAAAACA8vPS1UAAElhrCMEAAAAH4sIAAAAAAACAyspzwcAZorKEQMAAAA="

@Suite struct CompressedInputTests {
  @Test func inflatesWhateverTheNameIs() throws {
    let scratch = try Scratch()
    let url = try scratch.file("data.bin", decode(compressedIDX))
    let bytes = try openInput(url).readAll(limit: 1000)
    #expect(bytes == idx([2, 2, 3], Array(0..<12)))
  }

  @Test func membersFollowOneAnother() throws {
    let scratch = try Scratch()
    let bytes = try openInput(scratch.file("two.gz", decode(twoMembers))).readAll(limit: 1000)
    #expect(String(decoding: bytes, as: UTF8.self) == "one two")
  }

  @Test func everyTruncationIsNoticed() throws {
    let scratch = try Scratch()
    let whole = try decode(compressedIDX)
    for count in 2..<whole.count {
      expectError(.malformed, "cut.gz", "too early") {
        _ = try openInput(scratch.file("cut.gz", whole.prefix(count))).readAll(limit: 1000)
      }
    }
  }

  @Test func corruptionIsNoticed() throws {
    let scratch = try Scratch()
    var bytes = try decode(compressedIDX)
    bytes[bytes.count - 7] ^= 1
    expectError(.malformed, "bad.gz", "corrupt") {
      _ = try IDXFile.read(scratch.file("bad.gz", bytes))
    }
    expectError(.malformed, "other bytes follow") {
      _ = try openInput(scratch.file("tail.gz", decode(compressedIDX) + [1, 2])).readAll(limit: 1000)
    }
  }

  @Test func sizeIsLimited() throws {
    let scratch = try Scratch()
    expectError(.invalid, "10 bytes") {
      _ = try openInput(scratch.file("data.gz", decode(compressedIDX))).readAll(limit: 10)
    }
  }

  @Test func readsIDX() throws {
    let scratch = try Scratch()
    for bytes in [idx([2, 2, 3], Array(0..<12)), try decode(compressedIDX)] {
      let array = try IDXFile.read(scratch.file("images", bytes))
      #expect(array.type == TensorType([2, 2, 3], .uint8))
      #expect(array.values(as: UInt8.self) == Array(0..<12))
    }
  }

  @Test func idxElementsAreBigEndian() throws {
    let scratch = try Scratch()
    let ints = [0, 0, 0x0C, 1] + bigEndian([2, 7, UInt32(bitPattern: -3)])
    #expect(try IDXFile.read(scratch.file("i", ints)).values(as: Int32.self) == [7, -3])
    let floats = [0, 0, 0x0D, 1] + bigEndian([1, Float(1.5).bitPattern])
    #expect(try IDXFile.read(scratch.file("f", floats)).values(as: Float.self) == [1.5])
  }

  @Test func badIDXIsRefused() throws {
    let scratch = try Scratch()
    let whole = idx([2, 2, 3], Array(0..<12))
    for count in 0..<whole.count {
      expectError(.malformed, "cut") { _ = try IDXFile.read(scratch.file("cut", whole.prefix(count))) }
    }
    expectError(.malformed, "more bytes") { _ = try IDXFile.read(scratch.file("long", whole + [1])) }
    expectError(.malformed, "not an IDX file") {
      _ = try IDXFile.read(scratch.file("x", text: "hello, world"))
    }
    expectError(.unsupported, "16-bit") { _ = try IDXFile.read(scratch.file("x", [0, 0, 0x0B, 0])) }
    expectError(.notFound, "absent") { _ = try IDXFile.read(scratch.folder.appendingPathComponent("absent")) }
    expectError(.invalid, "is a folder") { _ = try IDXFile.read(scratch.folder) }
  }

  @Test func hugeClaimsAreRefusedBeforeAllocation() throws {
    let scratch = try Scratch()
    // 2^60 elements, and sizes whose product overflows.
    expectError(.malformed, "claims", "1048576,1048576,1048576") {
      _ = try IDXFile.read(scratch.file("huge", idx([1 << 20, 1 << 20, 1 << 20], [])))
    }
    expectError(.malformed, "claims") {
      _ = try IDXFile.read(scratch.file("huger", idx([UInt32](repeating: .max, count: 3), [])))
    }
  }
}
