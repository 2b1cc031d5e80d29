import Foundation
import PandoData
import PandoIR
import Testing

/// `images=arange(24, uint8).reshape(2, 3, 4), y=[1, 0] int64`, by NumPy's `savez_compressed`.
private let deflatedArchive = """
  UEsDBC0AAAAIAAAAIQBErVeC//////////8KABQAaW1hZ2VzLm5weQEAEACYAAAAAAAAAGEAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgXlN\
  qqK6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjoKxjoKJpo6CrUK5AEuBkYmZhZWNnYOTi5uHl4+fgFBIWERUTFxAFBLAwQtAAAA\
  CAAAACEAcfs5q///////////BQAUAHkubnB5AQAQAJAAAAAAAAAASAAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2mhrqOgnpZfVFKUmBe\
  fX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuRgZUAABQSwECLQMtAAAACAAAACEARK1XgmEAAACYAAAACgAAAAAAAAAAAAAAgAEAAAAAaW\
  1hZ2VzLm5weVBLAQItAy0AAAAIAAAAIQBx+zmrSAAAAJAAAAAFAAAAAAAAAAAAAACAAZ0AAAB5Lm5weVBLBQYAAAAAAgACAGsAAAAcAQAAAAA=
  """
/// `x=[[1.5, -2]] float32`, by NumPy's `savez`.
private let storedArchive = """
  UEsDBC0AAAAAAAAAIQD9z6UI//////////8FABQAeC5ucHkBABAAiAAAAAAAAACIAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxmNCcsICd\
  mb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgxLCAyKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC\
  AgICAgICAgICAgICAgICAKAADAPwAAAMBQSwECLQMtAAAAAAAAACEA/c+lCIgAAACIAAAABQAAAAAAAAAAAAAAgAEAAAAAeC5ucHlQSwUGAAAAA\
  AEAAQAzAAAAvwAAAAAA
  """

/// A `.npy` file with this header text, padded as NumPy does.
private func npy(_ header: String, _ elements: [UInt8], version: UInt8 = 1) -> [UInt8] {
  let lengthBytes = version == 1 ? 2 : 4
  var text = Array(header.utf8)
  text += [UInt8](repeating: 0x20, count: 63 - (8 + lengthBytes + text.count) % 64) + [0x0A]
  let length = (0..<lengthBytes).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text + elements
}

private func header(_ descr: String, _ shape: String, fortran: String = "False") -> String {
  "{'descr': '\(descr)', 'fortran_order': \(fortran), 'shape': \(shape), }"
}

@Suite struct NumPyTests {
  private func read(_ bytes: [UInt8]) throws -> HostArray {
    let scratch = try Scratch()
    return try NumPyFile.read(scratch.file("a.npy", bytes))
  }

  @Test func everyElementTypeAndVersion() throws {
    let types: [(String, DType)] = [
      ("<f4", .float32), ("<f8", .float64), ("<f2", .float16), ("<i4", .int32), ("<i8", .int64),
      ("|i1", .int8),
      ("|u1", .uint8), ("|b1", .bool),
    ]
    for version in UInt8(1)...3 {
      for (code, dtype) in types {
        let elements = (0..<(6 * dtype.byteCount)).map { UInt8($0 % 2) }
        let array = try read(npy(header(code, "(2, 3)"), elements, version: version))
        #expect(array.type == TensorType([2, 3], dtype))
        array.withUnsafeBytes { #expect(Array($0) == elements) }
      }
    }
  }

  @Test func shapesAndOrders() throws {
    #expect(try read(npy(header("<i4", "()"), [7, 0, 0, 0])).type == TensorType([], .int32))
    #expect(
      try read(npy(header("<i4", "(1,)", fortran: "True"), [7, 0, 0, 0])).values(as: Int32.self) == [7])
    #expect(try read(npy(header("<i4", "(0, 3)"), [])).type.count == 0)
    #expect(
      try read(npy(header(">i4", "(2,)"), [0, 0, 1, 2, 255, 255, 255, 255])).values(as: Int32.self) == [
        258, -1,
      ])
    expectError(.unsupported, "Fortran", "ascontiguousarray") {
      _ = try read(npy(header("<i4", "(1, 1)", fortran: "True"), [7, 0, 0, 0]))
    }
  }

  @Test func badHeadersAreRefused() throws {
    expectError(.unsupported, "'<c8'", "astype") { _ = try read(npy(header("<c8", "(1,)"), [0])) }
    expectError(.unsupported, "records") {
      _ = try read(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", [0, 0, 0, 0]))
    }
    for text in [
      "", "{", "{'descr': '<f4'}", "[1, 2]", "{'descr': '<f4", header("<f4", "(-1,)"), header("<f4", "(1 2)"),
      header("<f4", "(99999999999999999999,)"), "{'other': 1}",
    ] {
      expectError(.malformed, "NumPy header") { _ = try read(npy(text, [0, 0, 0, 0])) }
    }
    expectError(.malformed, "not a NumPy array") { _ = try read(Array("hello".utf8)) }
    expectError(.unsupported, "version 9") { _ = try read([0x93] + Array("NUMPY".utf8) + [9, 0, 0, 0]) }
  }

  @Test func claimsAndTruncationsAreRefused() throws {
    expectError(.malformed, "float32[1152921504606846976]", "4 bytes") {
      _ = try read(npy(header("<f4", "(1152921504606846976,)"), [0, 0, 0, 0]))
    }
    expectError(.malformed) { _ = try read(npy(header("<f4", "(0, 4611686018427387904, 8)"), [])) }
    let whole = npy(header("<f4", "(2,)"), [UInt8](repeating: 1, count: 8))
    for count in 0..<whole.count {
      expectError(.malformed, "a.npy") { _ = try read(Array(whole.prefix(count))) }
    }
    expectError(.malformed, "9 bytes") { _ = try read(whole + [0]) }
  }

  @Test func archivesOfBothKinds() throws {
    let scratch = try Scratch()
    let deflated = try NumPyFile.readArchive(scratch.file("d.npz", decode(deflatedArchive)))
    #expect(deflated.keys.sorted() == ["images", "y"])
    #expect(deflated["images"]?.type == TensorType([2, 3, 4], .uint8))
    #expect(deflated["images"]?.values(as: UInt8.self) == Array(0..<24))
    #expect(deflated["y"]?.values(as: Int64.self) == [1, 0])
    let stored = try NumPyFile.readArchive(scratch.file("s.npz", decode(storedArchive)))
    #expect(stored["x"]?.values(as: Float.self) == [1.5, -2])
  }

  @Test func damagedArchivesAreRefused() throws {
    let scratch = try Scratch()
    for archive in [deflatedArchive, storedArchive] {
      let whole = try decode(archive)
      for count in 0..<whole.count {
        expectError(.malformed, "cut.npz") {
          _ = try NumPyFile.readArchive(scratch.file("cut.npz", whole.prefix(count)))
        }
      }
    }
    // One bit of the elements, which only the checksum can notice.
    var bytes = try decode(storedArchive)
    let start = try #require(bytes.firstIndex(of: 0xC0))
    bytes[start] ^= 1
    expectError(.malformed, "x.npy", "checksum") {
      _ = try NumPyFile.readArchive(scratch.file("bit.npz", bytes))
    }
  }

  /// Any single byte changed must give an error or a value, never a trap or an access outside the file.
  @Test func anyChangedByteIsSurvived() throws {
    let scratch = try Scratch()
    let whole = try decode(deflatedArchive)
    for index in whole.indices {
      for value in [UInt8(0), 0x7F, 0xFF] {
        var bytes = whole
        bytes[index] = value
        let url = try scratch.file("changed.npz", bytes)
        do { _ = try NumPyFile.readArchive(url) } catch is DataError {}
      }
    }
  }
}
