import Foundation
import PandoData
import PandoIR
import Testing

@Suite struct SafetensorsTests {
  private func file(_ json: String, data: [UInt8] = []) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: json.utf8.count >> (8 * $0)) } + Array(json.utf8) + data
  }

  private func open(_ json: String, data: [UInt8] = []) throws -> SafetensorsFile {
    let scratch = try Scratch()
    return try SafetensorsFile(contentsOf: scratch.file("a.safetensors", file(json, data: data)))
  }

  private func write(_ arrays: [(String, TensorType, [UInt8])], metadata: [String: String] = [:], to url: URL)
    throws
  {
    // Copies that stay in place while they are written.
    let copies = arrays.map { array in
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: array.2.count, alignment: 8)
      copy.copyBytes(from: array.2)
      return copy
    }
    defer { for copy in copies { copy.deallocate() } }
    try SafetensorsWriter.write(
      zip(arrays, copies).map { ($0.0, $0.1, UnsafeRawBufferPointer($1)) }, metadata: metadata, to: url)
  }

  @Test func everyTypeSurvivesTheRoundTrip() throws {
    let scratch = try Scratch()
    let url = scratch.folder.appendingPathComponent("all.safetensors")
    var tensors: [(String, TensorType, [UInt8])] = DType.allCases.enumerated().map { index, dtype in
      let type = TensorType([index + 1, 3], dtype)
      return (
        "layer.\(index).\(dtype.rawValue)", type,
        (0..<type.byteCount).map { UInt8(truncatingIfNeeded: $0 * 5) }
      )
    }
    tensors.append(("scalar \"quoted\"\\\n", TensorType([], .float32), [1, 2, 3, 4]))
    tensors.append(("empty", TensorType([0, 4], .int64), []))
    let metadata = ["format": "pt", "näme": "a\"b\\c\n\u{1}"]
    try write(tensors, metadata: metadata, to: url)
    let read = try SafetensorsFile(contentsOf: url)
    #expect(read.names == tensors.map(\.0).sorted())
    #expect(read.metadata == metadata)
    for (name, type, bytes) in tensors {
      #expect(read.type(of: name) == type)
      #expect(try Array(read.bytes(of: name)) == bytes)
      #expect(try read.withBytes(of: name) { Array($0) } == bytes)
      #expect(try read.array(name).type == type)
      // Every tensor may be used where it lies.
      try read.withBytes(of: name) { view in
        if !view.isEmpty { #expect(Int(bitPattern: view.baseAddress) % type.dtype.byteCount == 0) }
      }
    }
    let bytes = try Array(Data(contentsOf: url))
    let headerCount = bytes[..<8].enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
    #expect(headerCount % 8 == 0)
  }

  @Test func theFileDoesNotDependOnTheOrder() throws {
    let scratch = try Scratch()
    let tensors: [(String, TensorType, [UInt8])] = [
      ("b", TensorType([2], .uint8), [1, 2]), ("a", TensorType([1], .float64), [UInt8](0..<8)),
      ("c", TensorType([1], .uint8), [9]),
    ]
    let (one, two) = (scratch.folder.appendingPathComponent("1"), scratch.folder.appendingPathComponent("2"))
    try write(tensors, to: one)
    try write(tensors.reversed(), to: two)
    #expect(try Data(contentsOf: one) == Data(contentsOf: two))
    // Nothing else is left behind.
    #expect(try scratch.contents == ["1", "2"])
  }

  @Test func bytesOutliveTheFileValue() throws {
    let scratch = try Scratch()
    let url = scratch.folder.appendingPathComponent("a")
    try write([("a", TensorType([4], .uint8), [5, 6, 7, 8])], to: url)
    let bytes = try SafetensorsFile(contentsOf: url).bytes(of: "a")
    try FileManager.default.removeItem(at: url)
    #expect(Array(bytes) == [5, 6, 7, 8])
  }

  @Test func namesAreCheckedWhenWriting() throws {
    let scratch = try Scratch()
    let url = scratch.folder.appendingPathComponent("a")
    let tensor = ("a", TensorType([1], .uint8), [UInt8(1)])
    expectError(.invalid, "second tensor called a") { try write([tensor, tensor], to: url) }
    expectError(.invalid, "__metadata__") { try write([("__metadata__", tensor.1, tensor.2)], to: url) }
    #expect(try scratch.contents.isEmpty)
  }

  @Test func namesAreSuggestedWhenReading() throws {
    let read = try open(
      "{\"hidden.weight\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", data: [3])
    expectError(.notFound, "hidden.wieght", "did you mean hidden.weight?") {
      _ = try read.bytes(of: "hidden.wieght")
    }
  }

  @Test func everyTruncationIsNoticed() throws {
    let scratch = try Scratch()
    let url = scratch.folder.appendingPathComponent("a")
    try write([("a", TensorType([4], .int32), [UInt8](0..<16))], to: url)
    let whole = try Data(contentsOf: url)
    for count in 0..<whole.count {
      expectError(.malformed) {
        _ = try SafetensorsFile(contentsOf: scratch.file("cut", whole.prefix(count)))
      }
    }
    expectError(.malformed, "its tensors take 16") {
      _ = try SafetensorsFile(contentsOf: scratch.file("long", whole + [0]))
    }
  }

  @Test func hugeClaimsAreRefused() throws {
    let scratch = try Scratch()
    for length in [UInt64(1) << 60, .max, 100_000_001] {
      let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * UInt64($0))) } + [UInt8]("{}".utf8)
      expectError(.malformed, "header of \(length) bytes") {
        _ = try SafetensorsFile(contentsOf: scratch.file("huge", bytes))
      }
    }
    for shape in ["1152921504606846976", "4294967296,4294967296,16", "0,9223372036854775807,2", "-1"] {
      expectError(.malformed, "tensor w", "does not fit") {
        _ = try open(
          "{\"w\":{\"dtype\":\"F32\",\"shape\":[\(shape)],\"data_offsets\":[0,4]}}", data: [0, 0, 0, 0])
      }
    }
    expectError(.malformed, "not valid") {
      _ = try open(
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[1e300],\"data_offsets\":[0,4]}}", data: [0, 0, 0, 0])
    }
  }

  @Test func placesAreChecked() throws {
    func two(_ a: String, _ b: String) -> String {
      "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":\(a)},"
        + "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":\(b)}}"
    }
    let data: [UInt8] = [1, 2, 3, 4]
    #expect(try Array(open(two("[2,4]", "[0,2]"), data: data).bytes(of: "a")) == [3, 4])
    expectError(.malformed, "tensor b", "overlaps") { _ = try open(two("[0,2]", "[1,3]"), data: data) }
    expectError(.malformed, "tensor b", "overlaps") { _ = try open(two("[0,2]", "[0,2]"), data: data) }
    expectError(.malformed, "tensor b", "gap") { _ = try open(two("[0,2]", "[3,5]"), data: data + [5]) }
    expectError(.malformed, "tensor b", "outside") { _ = try open(two("[0,2]", "[3,5]"), data: data) }
    expectError(.malformed, "tensor a", "outside") { _ = try open(two("[-2,0]", "[0,2]"), data: data) }
    expectError(.malformed, "tensor a", "outside") { _ = try open(two("[2,0]", "[2,4]"), data: data) }
    expectError(.malformed, "tensor a", "outside") { _ = try open(two("[0]", "[2,4]"), data: data) }
    expectError(.malformed, "does not fit") { _ = try open(two("[0,1]", "[1,3]"), data: data) }
  }

  @Test func badHeadersAreRefused() throws {
    for json in [
      "", "[]", "{", "null", "{\"a\":1}", "{\"a\":{\"dtype\":\"U8\",\"shape\":[1]}}",
      "{\"__metadata__\":{\"a\":1}}",
      String(repeating: "[", count: 100_000),
    ] {
      expectError(.malformed, "header is not valid") { _ = try open(json) }
    }
    expectError(.unsupported, "tensor a", "F8_E5M2", "F32") {
      _ = try open("{\"a\":{\"dtype\":\"F8_E5M2\",\"shape\":[1],\"data_offsets\":[0,1]}}", data: [0])
    }
  }

  @Test func aFullDiskIsReported() throws {
    let descriptor = Foundation.open("/dev/full", O_WRONLY)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    let bytes = [UInt8](repeating: 1, count: 100)
    expectError(.system, "checkpoint", "No space left", "free some space") {
      try bytes.withUnsafeBytes {
        try SafetensorsWriter.write(
          [("a", TensorType([100], .uint8), $0)], metadata: [:],
          to: FileSink(descriptor: descriptor, place: "checkpoint"), place: "checkpoint")
      }
    }
  }
}
