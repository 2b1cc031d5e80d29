import PandoData
import PandoIR
import Testing

@Suite struct SourceTests {
  @Test func arraysGiveRows() throws {
    let source = try numbered(10)
    #expect(source.count == 10)
    #expect(source.fields == [Field("features", TensorType([2])), Field("label", TensorType([], .int32))])
    #expect(try source.sample(4, field: "features").values(as: Float.self) == [4, 4])
    #expect(try source.sample(4, field: "label").values(as: Int32.self) == [1])
    expectError(.invalid, "sample 10", "there are 10") { _ = try source.sample(10, field: "label") }
    expectError(.notFound, "'lable'", "did you mean 'label'?") { _ = try source.sample(0, field: "lable") }
  }

  @Test func arraysMustAgree() throws {
    expectError(.invalid, "'b' is int32[3]", "'a' is int32[2]") {
      _ = try ArraySource([("a", HostArray([1, 2] as [Int32])), ("b", HostArray([1, 2, 3] as [Int32]))])
    }
    expectError(.invalid, "no array") { _ = try ArraySource([("a", HostArray([1] as [Int32], shape: []))]) }
  }

  @Test func picturesGetAChannelAndLabelsAreChecked() throws {
    let images = HostArray([UInt8](0..<12), shape: [2, 2, 3])
    let source = try ArraySource.images(
      images, labels: HostArray([3, 9] as [UInt8]), classCount: 10, place: "here")
    #expect(
      source.fields == [
        Field("image", TensorType([1, 2, 3], .uint8)), Field("label", TensorType([], .int32)),
      ])
    #expect(try source.sample(1, field: "image").values(as: UInt8.self) == [6, 7, 8, 9, 10, 11])
    #expect(try source.sample(1, field: "label").values(as: Int32.self) == [9])
    expectError(.invalid, "here", "label 9 of sample 1", "0 to 8") {
      _ = try ArraySource.images(images, labels: HostArray([3, 9] as [UInt8]), classCount: 9, place: "here")
    }
    expectError(.invalid, "label -1 of sample 0") {
      _ = try ArraySource.images(
        images, labels: HostArray([-1, 9] as [Int64]), classCount: 10, place: "here")
    }
    expectError(.invalid, "'label' is int32[3]") {
      _ = try ArraySource.images(
        images, labels: HostArray([1, 1, 1] as [UInt8]), classCount: 10, place: "here")
    }
    expectError(.invalid, "images are uint8[12]") {
      _ = try ArraySource.images(
        images.reshaped([12]), labels: HostArray([1] as [UInt8]), classCount: 10, place: "here")
    }
  }

  @Test func subsetsChooseSamples() throws {
    let source = try numbered(12)
    func labels(_ source: some SampleSource) throws -> [Float] {
      try (0..<source.count).map { try source.sample($0, field: "features").values(as: Float.self)[0] }
    }
    #expect(try labels(SubsetSource(source, 3..<6)) == [3, 4, 5])
    #expect(try labels(SubsetSource(source, [7, 0, 7])) == [7, 0, 7])
    let (training, test) = source.everyFifthHeldOut()
    #expect(try labels(training) == [0, 1, 2, 3, 5, 6, 7, 8, 10, 11])
    #expect(try labels(test) == [4, 9])
    #expect(try labels(SubsetSource(training, 4..<6)) == [5, 6])
  }
}
