import Foundation
import PandoData
import PandoIR
import Testing

@Suite struct TableTests {
  private func table(_ text: String, _ options: CSVOptions = CSVOptions()) throws -> CSVTable {
    let scratch = try Scratch()
    return try CSVTable(contentsOf: scratch.file("t.csv", text: text), options: options)
  }

  @Test func readsNumbersWithoutHeadings() throws {
    let read = try table("1,2.5,0\n-3e2, 4 ,2\r\n\n0.125,4294967296000,1")
    #expect(read.features.type == TensorType([3, 2], .float32))
    #expect(read.features.values(as: Float.self) == [1, 2.5, -300, 4, 0.125, 4_294_967_296_000])
    #expect(read.labels.values(as: Int32.self) == [0, 2, 1])
    #expect(read.classCount == 3)
    #expect(read.featureNames == nil && read.classNames == nil)
  }

  @Test func readsHeadingsQuotesAndNamedClasses() throws {
    let text = "\u{FEFF}kind,\"width, mm\",height\n\"a \"\"b\"\"\",1,2\nzebra,3,4\n\"two\nlines\",5,\"6\"\n"
    let read = try table(text, CSVOptions(label: .name("kind")))
    #expect(read.featureNames == ["width, mm", "height"])
    #expect(read.classNames == ["a \"b\"", "two\nlines", "zebra"])
    #expect(read.labels.values(as: Int32.self) == [0, 2, 1])
    #expect(read.features.values(as: Float.self) == [1, 2, 3, 4, 5, 6])
  }

  @Test func otherColumnsAndKinds() throws {
    let read = try table(
      "0.5;1;2\n1.5;3;4", CSVOptions(delimiter: ";", label: .column(0), labelKind: .numbers))
    #expect(read.labels.values(as: Float.self) == [0.5, 1.5])
    #expect(read.features.values(as: Float.self) == [1, 2, 3, 4])
    #expect(read.classCount == nil)
    let source = try read.source()
    #expect(source.fields == [Field("features", TensorType([2])), Field("label", TensorType([]))])
  }

  @Test func mistakesNameTheirLine() throws {
    expectError(.malformed, "t.csv:3", "2 fields, expected 3") { _ = try table("1,2,0\n1,2,1\n1,2\n") }
    expectError(.malformed, "t.csv:4", "column height", "'tall'") {
      _ = try table("width,height,kind\n\"1\",2,0\n\n1,tall,0\n")
    }
    expectError(.malformed, "t.csv:2", "'nan'") { _ = try table("1,2,0\nnan,2,1\n") }
    expectError(.malformed, "t.csv:2", "''") { _ = try table("1,2,0\n,2,1\n") }
    expectError(.malformed, "t.csv:2", "never closed") { _ = try table("1,2,0\n1,\"2,1\n") }
    expectError(.malformed, "t.csv:1", "closing quote") { _ = try table("\"1\"2,0\n") }
    expectError(.malformed, "t.csv:2", "'dog'") { _ = try table("1,0\n2,dog\n") }
  }

  @Test func labelsOutOfRange() throws {
    expectError(.invalid, "t.csv:2", "label 10", "0 to 9") {
      _ = try table("1,9\n1,10\n", CSVOptions(classCount: 10))
    }
    expectError(.invalid, "t.csv:1", "label -1") { _ = try table("1,-1\n") }
    expectError(.invalid, "t.csv:1", "label 0.5") { _ = try table("1,0.5\n") }
    expectError(.invalid, "names 3 classes") { _ = try table("1,a\n1,b\n1,c\n", CSVOptions(classCount: 2)) }
  }

  @Test func emptyTablesAndMissingColumns() throws {
    expectError(.invalid, "is empty") { _ = try table("\n\n") }
    expectError(.invalid, "no records") { _ = try table("a,b\n") }
    expectError(.malformed, "one column") { _ = try table("1\n2\n") }
    expectError(.notFound, "'knd'", "did you mean 'kind'") {
      _ = try table("kind,x\n1,2\n", CSVOptions(label: .name("knd")))
    }
    expectError(.invalid, "2 columns") { _ = try table("1,2\n", CSVOptions(label: .column(2))) }
    expectError(.invalid, "no headings") { _ = try table("1,2\n", CSVOptions(label: .name("kind"))) }
  }
}
