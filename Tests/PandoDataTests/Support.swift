import Foundation
import PandoData
import PandoIR
import Testing

/// A folder of its own for one test, removed with the value.
final class Scratch {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("pando-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// Writes a file and returns where it is.
  func file(_ name: String, _ bytes: some Sequence<UInt8>) throws -> URL {
    let url = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    // Without Foundation's flush to disk, which tests that write hundreds of files would wait for.
    unlink(url.path)
    let stream = try #require(fopen(url.path, "w"))
    defer { fclose(stream) }
    let contents = Array(bytes)
    try #require(fwrite(contents, 1, contents.count, stream) == contents.count)
    return url
  }

  func file(_ name: String, text: String) throws -> URL { try file(name, text.utf8) }

  /// The names of what the folder holds, hidden ones included.
  var contents: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
  }
}

/// Checks that `body` throws a `DataError` of this kind whose description contains all of `parts`.
func expectError(
  _ kind: DataError.Kind, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Void
) {
  do {
    try body()
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
  } catch let error as DataError {
    #expect(error.kind == kind, "\(error)", sourceLocation: sourceLocation)
    for part in parts {
      #expect(error.description.contains(part), "\(error)", sourceLocation: sourceLocation)
    }
  } catch {
    Issue.record("unexpected error: \(error)", sourceLocation: sourceLocation)
  }
}

/// The bytes that base-64 text stands for.
func decode(_ base64: String) throws -> [UInt8] { Array(try #require(Data(base64Encoded: base64))) }

/// The big-endian bytes of 32-bit numbers.
func bigEndian(_ values: [UInt32]) -> [UInt8] {
  values.flatMap { value in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> UInt32($0)) } }
}

/// An IDX file of bytes.
func idx(_ shape: [UInt32], _ elements: [UInt8]) -> [UInt8] {
  [0, 0, 8, UInt8(shape.count)] + bigEndian(shape) + elements
}

/// Numbered samples: `features` holds the sample's number twice, `label` its remainder by 3.
func numbered(_ count: Int) throws -> ArraySource {
  try ArraySource([
    ("features", HostArray((0..<count).flatMap { [Float($0), Float($0)] }, shape: [count, 2])),
    ("label", HostArray((0..<count).map { Int32($0 % 3) })),
  ])
}

/// Pictures whose pixels are all different within a row, one byte each.
func pictures(_ count: Int, height: Int, width: Int) throws -> ArraySource {
  let pixels = (0..<(count * height * width)).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 251 + 1) }
  return try ArraySource.images(
    HostArray(pixels, shape: [count, height, width]), labels: HostArray((0..<count).map { UInt8($0 % 10) }),
    classCount: 10, place: "pictures")
}
