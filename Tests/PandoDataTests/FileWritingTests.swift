import Foundation
import PandoData
import Testing

@Suite struct FileWritingTests {
  private struct Interruption: Error {}

  @Test func aFailedWriteLeavesTheOldFileAlone() throws {
    let scratch = try Scratch()
    let url = try scratch.file("a", text: "old")
    #expect(throws: Interruption.self) {
      try AtomicFile.write(to: url) { sink in
        try Array("new and long".utf8).withUnsafeBytes { try sink.write($0) }
        throw Interruption()
      }
    }
    #expect(try String(contentsOf: url, encoding: .utf8) == "old")
    #expect(try scratch.contents == ["a"])
    try AtomicFile.write(Array("new".utf8), to: url)
    #expect(try String(contentsOf: url, encoding: .utf8) == "new")
    #expect(try scratch.contents == ["a"])
  }

  @Test func aMissingFolderIsReported() throws {
    let scratch = try Scratch()
    let url = scratch.folder.appendingPathComponent("none/a")
    expectError(.notFound, "none/a", "cannot create") { try AtomicFile.write([1], to: url) }
  }

  @Test func digestsAreThoseOfTheStandard() {
    func digest(_ text: String) -> String { Array(text.utf8).withUnsafeBytes { SHA256.hexDigest(of: $0) } }
    #expect(digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    #expect(
      digest(String(repeating: "a", count: 1_000_000))
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func digestsDoNotDependOnPieces() {
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 11) }
    let whole = bytes.withUnsafeBytes { SHA256.hexDigest(of: $0) }
    for size in 1...130 {
      var digest = SHA256()
      for start in stride(from: 0, to: bytes.count, by: size) {
        Array(bytes[start..<min(start + size, bytes.count)]).withUnsafeBytes { digest.update($0) }
      }
      #expect(digest.hexDigest() == whole)
    }
  }
}
