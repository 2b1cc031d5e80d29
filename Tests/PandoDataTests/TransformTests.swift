import Foundation
import PandoData
import PandoIR
import Testing

@Suite struct TransformTests {
  /// Applies one transform to one array.
  private func apply(
    _ transform: some SampleTransform, to array: HostArray, seed: UInt64 = 1, position: Int = 0
  ) throws -> HostArray {
    let type = try transform.outputType(for: array.type)
    return try HostArray(type: type) { output in
      var random = SampleRandom(seed: seed, position: position, stage: 0)
      memset(try #require(output.baseAddress), 0xEE, output.count)
      try array.withUnsafeBytes {
        try transform.apply(
          #require($0.baseAddress), type: array.type, into: #require(output.baseAddress), random: &random)
      }
    }
  }

  @Test func normalizesEachChannel() throws {
    let pixels = HostArray([UInt8]([0, 255, 51, 102]), shape: [2, 1, 2])
    let scaled = try apply(Normalize("image", scale: 1 / 255), to: pixels).values(as: Float.self)
    for (value, wanted) in zip(scaled, [0, 1, 0.2, 0.4] as [Float]) { #expect(abs(value - wanted) < 1e-6) }
    let each = Normalize("image", scale: 1 / 255, mean: [0.5, 0.2], deviation: [0.5, 0.1])
    let result = try apply(each, to: pixels)
    #expect(result.type == TensorType([2, 1, 2], .float32))
    for (value, wanted) in zip(result.values(as: Float.self), [-1, 1, 0, 2] as [Float]) {
      #expect(abs(value - wanted) < 1e-5)
    }
    let floats = try apply(
      Normalize("x", mean: [1, 2], deviation: [2, 4]), to: HostArray([3, 10] as [Float]))
    #expect(floats.values(as: Float.self) == [1, 2])
    expectError(.invalid, "field 'image'", "uint8 or float32") {
      _ = try each.outputType(for: TensorType([2, 1], .int32))
    }
    expectError(.invalid, "2 means", "3 groups") {
      _ = try each.outputType(for: TensorType([3, 4, 4], .uint8))
    }
  }

  @Test func padsWithZeros() throws {
    let result = try apply(
      PadImage("image", padding: 1), to: HostArray([1, 2, 3, 4] as [Int32], shape: [2, 2]))
    #expect(result.type == TensorType([4, 4], .int32))
    #expect(result.values(as: Int32.self) == [0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0])
  }

  /// Every crop is one of those that a straightforward definition allows, and all of them occur.
  @Test func cropsAreWindowsOfThePaddedPicture() throws {
    let (channels, height, width, padding) = (2, 3, 4, 2)
    let pixels = (1...UInt8(channels * height * width)).map { $0 }
    let picture = HostArray(pixels, shape: [channels, height, width])
    func window(_ top: Int, _ left: Int, _ rows: Int, _ columns: Int) -> [UInt8] {
      var result: [UInt8] = []
      for c in 0..<channels {
        for y in top..<(top + rows) {
          for x in left..<(left + columns) {
            let isInside = (0..<height).contains(y) && (0..<width).contains(x)
            result.append(isInside ? pixels[(c * height + y) * width + x] : 0)
          }
        }
      }
      return result
    }
    for (rows, columns) in [(3, 4), (2, 2), (7, 8)] {
      var allowed = Set<[UInt8]>()
      for top in -padding...(height + padding - rows) {
        for left in -padding...(width + padding - columns) {
          allowed.insert(window(top, left, rows, columns))
        }
      }
      let crop = RandomCrop("image", size: (rows, columns), padding: padding)
      let seen = try Set((0..<600).map { try apply(crop, to: picture, position: $0).values(as: UInt8.self) })
      #expect(seen == allowed)
    }
    expectError(.invalid, "cannot cut 8x4 out of 3x4") {
      _ = try RandomCrop("image", size: (8, 4), padding: 2).outputType(for: picture.type)
    }
    expectError(.invalid, "cannot take uint8[5]") {
      _ = try RandomCrop("image", padding: 1).outputType(for: TensorType([5], .uint8))
    }
  }

  @Test func flipsMirrorRowsHalfTheTime() throws {
    let picture = HostArray([1, 2, 3, 4, 5, 6] as [Float], shape: [1, 2, 3])
    let mirrored: [Float] = [3, 2, 1, 6, 5, 4]
    var flips = 0
    for position in 0..<1000 {
      let result = try apply(RandomHorizontalFlip("image"), to: picture, position: position).values(
        as: Float.self)
      if result == mirrored { flips += 1 } else { #expect(result == picture.values()) }
    }
    #expect((400...600).contains(flips))
    for array in [
      HostArray([1, 2, 3] as [UInt8], shape: [1, 3]), HostArray([1, 2, 3] as [Int64], shape: [1, 3]),
    ] {
      let result = try apply(RandomHorizontalFlip("image", probability: 1), to: array)
      #expect(try result.doubles(place: "") == [3, 2, 1])
    }
  }

  @Test func randomNumbersDependOnTheirPlaceOnly() {
    var one = SampleRandom(seed: 7, position: 11, stage: 2)
    var two = SampleRandom(seed: 7, position: 11, stage: 2)
    let words = (0..<10).map { _ in one.next() }
    #expect(words == (0..<10).map { _ in two.next() })
    #expect(Set(words).count == 10)
    var others = [
      SampleRandom(seed: 8, position: 11, stage: 2), SampleRandom(seed: 7, position: 12, stage: 2),
      SampleRandom(seed: 7, position: 11 + 1 << 32, stage: 2), SampleRandom(seed: 7, position: 11, stage: 3),
    ]
    for index in others.indices { #expect(others[index].next() != words[0]) }
    var many = SampleRandom(seed: 1, position: 0, stage: 0)
    var counts = [Int](repeating: 0, count: 5)
    for _ in 0..<5000 {
      counts[many.integer(below: 5)] += 1
      let number = many.uniform()
      #expect(number >= 0 && number < 1)
    }
    #expect(counts.allSatisfy { (850...1150).contains($0) })
  }

  @Test func pipelinesCheckTheirFields() throws {
    let fields = [Field("image", TensorType([1, 4, 4], .uint8)), Field("label", TensorType([], .int32))]
    let pipeline = try TransformPipeline(
      [PadImage("image", padding: 1), RandomHorizontalFlip("image"), Normalize("image")], fields: fields)
    #expect(pipeline.outputFields == [Field("image", TensorType([1, 6, 6])), fields[1]])
    expectError(.notFound, "'imag'", "did you mean 'image'?") {
      _ = try TransformPipeline([PadImage("imag", padding: 1)], fields: fields)
    }
    // The second transform sees what the first leaves.
    expectError(.invalid, "uint8 or float32", "label") {
      _ = try TransformPipeline([Normalize("image"), Normalize("label")], fields: fields)
    }
  }

  @Test func statisticsAreMeasured() throws {
    let source = try ArraySource([
      ("features", HostArray([1, 100, 3, 100, 5, 100] as [Float], shape: [3, 2])),
      ("image", HostArray([0, 2, 4, 6, 8, 10] as [UInt8], shape: [3, 1, 1, 2])),
    ])
    let features = try FieldStatistics.measure("features", of: source)
    #expect(features.mean == [3, 100])
    #expect(abs(features.deviation[0] - Float(8.0 / 3).squareRoot()) < 1e-6 && features.deviation[1] == 1)
    let image = try FieldStatistics.measure("image", of: source, scale: 0.5)
    #expect(image.mean == [2.5])
    #expect(abs(image.deviation[0] - Float(35.0 / 12).squareRoot()) < 1e-6)
    expectError(.invalid, "field 'none'") { _ = try FieldStatistics.measure("none", of: source) }
  }
}
