import Foundation
import PandoTraining
import Testing

@Test func checksumsAreThoseOfTheStandard() {
  // RFC 3720, appendix B.4.
  #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8a91_36aa)
  #expect(CRC32C.checksum([UInt8](repeating: 0xff, count: 32)) == 0x62a8_ab43)
  #expect(CRC32C.checksum(0..<32) == 0x46dd_794e)
  #expect(CRC32C.checksum((0..<32).reversed().map { UInt8($0) }) == 0x113f_db5c)
  #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
}

@Test func eventsAreEncodedAsProtobuf() {
  let time = 1.5
  let version = EventMessage(wallTime: time, step: 0, content: .fileVersion)
  #expect(
    version.bytes == [0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x1a, 13] + Array("brain.Event:2".utf8))
  let scalars = EventMessage(wallTime: time, step: 300, content: .scalars([("a", 0.5), ("bc", -2)]))
  #expect(
    scalars.bytes == [
      0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x10, 0xac, 0x02, 0x2a, 21,
      0x0a, 8, 0x0a, 1, 0x61, 0x15, 0, 0, 0, 0x3f,
      0x0a, 9, 0x0a, 2, 0x62, 0x63, 0x15, 0, 0, 0, 0xc0,
    ])
  let restart = EventMessage(wallTime: time, step: 1, content: .restart)
  #expect(restart.bytes == [0x09, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0x10, 1, 0x3a, 2, 0x08, 1])
}

@Test func eventFilesAreByteExact() throws {
  let folder = try TemporaryFolder()
  let file = try EventFile(in: folder.url, clock: { 1_700_000_000.25 })
  try file.write([("loss/train", 0.5), ("loss/held-out", .nan)], step: 3)
  #expect(file.url.lastPathComponent.hasPrefix("events.out.tfevents.1700000000."))
  let hex = try Data(contentsOf: file.url).map { String(format: "%02x", $0) }.joined()
  // Written by TensorBoard 2.21's own RecordWriter and Event messages.
  #expect(
    hex == "1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9"
      + "36000000000000004f578cef0900001040fc54d94110032a290a110a0a6c6f73732f747261696e150000003f"
      + "0a140a0d6c6f73732f68656c642d6f7574150000c07fc7529b1a")
}

@Test func secondFileOfASecondHasItsOwnName() throws {
  let folder = try TemporaryFolder()
  let first = try EventFile(in: folder.url, clock: { 1_700_000_000 })
  let second = try EventFile(in: folder.url, resumingAfter: 7, clock: { 1_700_000_000 })
  #expect(first.url != second.url)
  #expect(folder.names().count == 2)
  let bytes = try Data(contentsOf: second.url)
  let restart = EventMessage(wallTime: 1_700_000_000, step: 8, content: .restart).record
  #expect(Array(bytes.suffix(restart.count)) == restart)
}
