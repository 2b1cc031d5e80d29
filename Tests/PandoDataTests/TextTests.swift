import Foundation
import PandoData
import PandoIR
import Testing

@Suite struct TextTests {
  @Test func charactersAreNumberedInOrder() throws {
    let vocabulary = TextVocabulary(unit: .character, of: "née 🌲\na")
    #expect(vocabulary.count == 7)
    #expect(try vocabulary.encode("\n aené🌲") == [0, 1, 2, 3, 4, 5, 6])
    #expect(try vocabulary.decode([4, 5, 3, 1, 6]) == "né" + "e 🌲")
  }

  @Test func bytesAreTheirOwnNumbers() throws {
    #expect(TextVocabulary.bytes.count == 256)
    #expect(try TextVocabulary.bytes.encode("é!") == [0xC3, 0xA9, 0x21])
    #expect(try TextVocabulary.bytes.decode([0xC3, 0xA9, 0x21]) == "é!")
  }

  @Test func strangersAreNamed() throws {
    let vocabulary = TextVocabulary(unit: .character, of: "abc")
    expectError(.invalid, "character 1", "'é'", "U+E9") { _ = try vocabulary.encode("aé") }
    expectError(.invalid, "token 3", "vocabulary of 3") { _ = try vocabulary.decode([0, 3]) }
    expectError(.invalid, "token -1") { _ = try TextVocabulary.bytes.decode([-1]) }
  }

  @Test func vocabulariesAreSavedAndLoaded() throws {
    let scratch = try Scratch()
    let url = scratch.folder.appendingPathComponent("vocabulary.json")
    for vocabulary in [TextVocabulary(unit: .character, of: "e\u{301}\"\\\u{0}🌲"), .bytes] {
      try vocabulary.save(to: url)
      #expect(try TextVocabulary(contentsOf: url) == vocabulary)
    }
    for text in ["{", "{\"unit\": \"word\"}", "{\"unit\": \"character\", \"characters\": \"ba\"}"] {
      expectError(.malformed, "not a vocabulary") {
        _ = try TextVocabulary(contentsOf: scratch.file("bad.json", text: text))
      }
    }
  }

  @Test func textMustBeUTF8() throws {
    let scratch = try Scratch()
    #expect(try readText(scratch.file("a.txt", text: "né\n")) == "né\n")
    expectError(.malformed, "b.txt:2", "UTF-8") {
      _ = try readText(scratch.file("b.txt", Array("one\ntwo".utf8) + [0xFF, 0x0A]))
    }
    expectError(.invalid, "is empty") { _ = try readText(scratch.file("c.txt", [])) }
  }

  @Test func windowsCoverTheText() throws {
    let source = try TextWindowSource((0..<11).map { Int32($0) }, context: 5)
    #expect(source.count == 2)
    #expect(
      source.fields == [Field("tokens", TensorType([5], .int32)), Field("targets", TensorType([5], .int32))])
    #expect(try source.sample(1, field: "tokens").values(as: Int32.self) == [5, 6, 7, 8, 9])
    #expect(try source.sample(1, field: "targets").values(as: Int32.self) == [6, 7, 8, 9, 10])
    // Without shifts an epoch makes no difference.
    #expect(try source.sample(0, field: "tokens", epoch: 7).values(as: Int32.self) == [0, 1, 2, 3, 4])
  }

  @Test func laterEpochsCutElsewhereAndStayInside() throws {
    let source = try TextWindowSource((0..<43).map { Int32($0) }, context: 10, shiftsEachEpoch: true)
    var starts = Set<Int32>()
    for epoch in 0..<50 {
      for index in 0..<source.count {
        let tokens = try source.sample(index, field: "tokens", epoch: epoch).values(as: Int32.self)
        let targets = try source.sample(index, field: "targets", epoch: epoch).values(as: Int32.self)
        #expect(tokens == (0..<10).map { tokens[0] + $0 })
        #expect(targets == tokens.map { $0 + 1 })
        if index == 0 { starts.insert(tokens[0]) }
      }
    }
    #expect(starts == Set(0..<10))
    #expect(try source.sample(1, field: "tokens", epoch: 0).values(as: Int32.self).first == 10)
  }

  @Test func shortTextIsRefused() throws {
    expectError(.invalid, "holds 5 tokens", "window of 5") {
      _ = try TextWindowSource([1, 2, 3, 4, 5], context: 5)
    }
    expectError(.invalid, "windows of 0") { _ = try TextWindowSource([1, 2], context: 0) }
  }
}
