import Foundation
import PandoData
import PandoIR
import Testing

/// `images: uint8[10,2,2]` and `labels: int64[10]` from 0 to 4, by NumPy's `savez_compressed`.
private let tenPictures = """
  UEsDBC0AAAAIAAAAIQBW1mr9//////////8KABQAaW1hZ2VzLm5weQEAEACoAAAAAAAAAHEAAAAAAAAAm+wX6hsQychQxlCtnpJanFyk\
  bqWgXlNqqK6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkahgY6CkZApKmjUKtAFuBiYGRiZmFlY+fg5OLm4eXjFxAUEhYRFROX\
  kJSSlpGVk1dQVFJWUVVTBwBQSwMELQAAAAgAAAAhACUOhOD//////////woAFABsYWJlbHMubnB5AQAQANAAAAAAAAAAVQAAAAAAAACb\
  7BfqGxDJyFDGUK2eklqcXKRupaBuk2mhrqOgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RqGBjqaOgq1CuQDLgYoYITSTFCaGUqz\
  MKACQuoAUEsBAi0DLQAAAAgAAAAhAFbWav1xAAAAqAAAAAoAAAAAAAAAAAAAAIABAAAAAGltYWdlcy5ucHlQSwECLQMtAAAACAAAACEA\
  JQ6E4FUAAADQAAAACgAAAAAAAAAAAAAAgAGtAAAAbGFiZWxzLm5weVBLBQYAAAAAAgACAHAAAAA+AQAAAAA=
  """

@Suite struct LocalDataTests {
  @Test func pathsAreToldFromNames() {
    #expect(LocalData.isPath("data.csv") && LocalData.isPath("./folder") && LocalData.isPath("/a/b"))
    #expect(!LocalData.isPath("fashion-mnist"))
  }

  @Test func tables() throws {
    let scratch = try Scratch()
    let rows = (0..<10).map { "\($0),\($0 * 2),\($0 % 2 == 0 ? "even" : "odd")" }.joined(separator: "\n")
    let data = try LocalData(path: scratch.file("t.csv", text: "a,b,kind\n" + rows).path)
    #expect(data.splits == [.train, .test])
    let (training, test) = (try data.open(.train), try data.open(.test))
    #expect(training.source.count == 8 && test.source.count == 2)
    #expect(training.classNames == ["even", "odd"] && training.classCount == 2)
    #expect(try test.source.sample(1, field: "features").values(as: Float.self) == [9, 18])
    // Both splits carry the training split's statistics.
    #expect(training.statistics == test.statistics && training.statistics?.mean.count == 2)
    expectError(.notFound, "validation") { _ = try data.open(.validation) }
    let tabs = try LocalData(
      path: scratch.file("t.tsv", text: rows.replacingOccurrences(of: ",", with: "\t")).path)
    #expect(try tabs.open(.train).source.count == 8)
    let short = try LocalData(path: scratch.file("short.csv", text: "1,0\n2,1\n").path)
    expectError(.invalid, "too few samples") { _ = try short.open(.train) }
  }

  @Test func texts() throws {
    let scratch = try Scratch()
    let text = (0..<100).map { "line \($0 % 10)\n" }.joined()
    let data = try LocalData(path: scratch.file("t.txt", text: text).path)
    #expect(data.splits == [.train, .validation])
    let options = OpenOptions(unit: .character, context: 7)
    let (training, held) = (
      try data.open(.train, options: options), try data.open(.validation, options: options)
    )
    // 700 characters are cut after the line that holds character 665: 672 and 28.
    #expect(training.source.count == 671 / 7 && held.source.count == 27 / 7)
    #expect(training.vocabulary == held.vocabulary)
    #expect(try data.open(.train, options: OpenOptions(unit: .byte, context: 7)).classCount == 256)
    // A vocabulary from elsewhere must know the text's characters.
    let other = OpenOptions(context: 7, vocabulary: TextVocabulary(unit: .character, of: "lin 0123456789\n"))
    expectError(.invalid, "'e'") { _ = try data.open(.train, options: other) }
    // Without lines the cut keeps characters whole.
    let unbroken = try LocalData(path: scratch.file("u.txt", text: String(repeating: "é", count: 101)).path)
    let parts = try [DataSplit.train, .validation].map {
      try unbroken.open($0, options: OpenOptions(context: 1))
    }
    #expect(parts.map(\.source.count).reduce(0, +) == 99)
  }

  @Test func foldersOfIDX() throws {
    let scratch = try Scratch()
    for (prefix, count) in [("train", UInt32(4)), ("t10k", 2)] {
      let pixels = (0..<(count * 4)).map { UInt8($0) }
      _ = try scratch.file("m/\(prefix)-images-idx3-ubyte", idx([count, 2, 2], pixels))
      _ = try scratch.file("m/\(prefix)-labels-idx1-ubyte", idx([count], (0..<count).map { UInt8($0) }))
    }
    let data = try LocalData(path: scratch.folder.appendingPathComponent("m").path)
    let (training, test) = (try data.open(.train), try data.open(.test))
    #expect(training.source.count == 4 && test.source.count == 2)
    #expect(training.classCount == 4 && test.classCount == 4)
    #expect(training.source.fields[0] == Field("image", TensorType([1, 2, 2], .uint8)))
    expectError(.invalid, "label 3 of sample 3", "0 to 2") {
      _ = try data.open(.train, options: OpenOptions(classCount: 3))
    }
    _ = try scratch.file("m/t10k-labels-idx1-ubyte", idx([2], [0, 9]))
    expectError(.invalid, "t10k-labels", "label 9 of sample 1") { _ = try data.open(.test) }
    try FileManager.default.removeItem(at: scratch.folder.appendingPathComponent("m/t10k-images-idx3-ubyte"))
    expectError(.notFound, "t10k-images-idx3-ubyte") { _ = try data.open(.test) }
  }

  @Test func arrays() throws {
    let scratch = try Scratch()
    let data = try LocalData(path: scratch.file("a.npz", decode(tenPictures)).path)
    let (training, test) = (try data.open(.train), try data.open(.test))
    #expect(training.source.count == 8 && test.source.count == 2 && training.classCount == 5)
    #expect(try test.source.sample(0, field: "image").values(as: UInt8.self) == [16, 17, 18, 19])
    #expect(try test.source.sample(0, field: "label").values(as: Int32.self) == [4])
    expectError(.invalid, "label 4 of sample 4") {
      _ = try data.open(.train, options: OpenOptions(classCount: 4))
    }
  }

  @Test func unknownKinds() throws {
    let scratch = try Scratch()
    expectError(.notFound, "absent.csv", "data.source") { _ = try LocalData(path: "/nowhere/absent.csv") }
    let picture = try scratch.file("a.jpeg", [1])
    expectError(.unsupported, "a.jpeg", ".npz") { _ = try LocalData(path: picture.path) }
  }
}
