import Foundation
import PandoIR
import PandoTraining
import Testing

/// Slices of tensors, and who writes which.
@Suite struct ShardTests {
  private let type = TensorType([4, 3, 5], .int32)

  private func box(_ offset: [Int], _ shape: [Int]) throws -> TensorSlice {
    try #require(TensorSlice("x", of: type, offset: offset, shape: shape))
  }

  /// The numbers of a box's elements in the whole tensor, by plain counting.
  private func numbers(_ slice: TensorSlice) -> [Int32] {
    var numbers: [Int32] = []
    for i in slice.offset[0]..<slice.offset[0] + slice.shape[0] {
      for j in slice.offset[1]..<slice.offset[1] + slice.shape[1] {
        for k in slice.offset[2]..<slice.offset[2] + slice.shape[2] {
          numbers.append(Int32((i * 3 + j) * 5 + k))
        }
      }
    }
    return numbers
  }

  private func copied(_ from: TensorSlice, to: TensorSlice) -> [Int32] {
    var result = Array(repeating: Int32(-1), count: to.boxType.count)
    numbers(from).withUnsafeBytes { source in result.withUnsafeMutableBytes { from.copy(source, to: to, $0) }
    }
    return result
  }

  @Test func anyBoxIsCopiedToAnyOther() throws {
    let whole = TensorSlice(whole: "x", type)
    let boxes = [
      whole, try box([1, 0, 0], [2, 3, 5]), try box([0, 1, 0], [4, 2, 5]), try box([0, 0, 2], [4, 3, 2]),
      try box([2, 1, 1], [1, 1, 3]), try box([1, 2, 0], [3, 1, 5]), try box([4, 0, 0], [0, 3, 5]),
    ]
    for from in boxes {
      for to in boxes {
        let source = Set(numbers(from))
        let expected = numbers(to).map { source.contains($0) ? $0 : -1 }
        #expect(copied(from, to: to) == expected, "\(from.text) to \(to.text)")
        #expect(from.overlap(to) == expected.count { $0 >= 0 })
      }
    }
  }

  @Test func scalarsAreCopied() throws {
    let scalar = TensorSlice(whole: "x", .scalar(.int32))
    var result: Int32 = 0
    withUnsafeBytes(of: Int32(7)) { source in
      withUnsafeMutableBytes(of: &result) { scalar.copy(source, to: scalar, $0) }
    }
    #expect(result == 7)
  }

  @Test func aBoxIsWrittenAndRead() throws {
    let slice = try box([1, 0, 2], [2, 3, 2])
    #expect(slice.text == "1:3,0:3,2:4 of 4,3,5")
    #expect(TensorSlice("x", text: slice.text, boxType: slice.boxType) == slice)
  }

  @Test(
    arguments: [
      "", "of", "1:3 of 4", "1:3,0:3,2:4", "1:3,0:3,2:4 of 4,3,3", "-1:1,0:3,2:4 of 4,3,5",
      "3:1,0:3,2:4 of 4,3,5",
      "1:3,0:3,2:4 of 4,3,x", "1:3,0:3,9223372036854775807:4 of 4,3,5",
      "1:3,0:3,2:4 of 9223372036854775807,9223372036854775807,9223372036854775807", "3:5,0:3,2:4 of 4,3,5",
    ])
  func anImpossibleBoxIsRefused(_ text: String) {
    #expect(TensorSlice("x", text: text, boxType: TensorType([2, 3, 2], .int32)) == nil)
  }

  /// Every row has exactly one writer, and all write about as much.
  @Test(arguments: 1...9)
  func theWorkIsDivided(_ writers: Int) {
    let tensors: [(name: String, type: TensorType)] = [
      ("embedding", TensorType([65, 32])), ("bias", TensorType([7])), ("none", TensorType([0, 4])),
      ("scale", .scalar(.float32)), ("weight", TensorType([32, 96], .bfloat16)), ("count", .scalar(.int64)),
    ]
    let boxes = tensors.map { TensorSlice(whole: $0.name, $0.type) }
    let parts = (0..<writers).map { ShardPlan.slices(of: boxes, writer: $0, of: writers) }
    for (name, type) in tensors {
      let rows = parts.joined().filter { $0.name == name }.map { slice -> Range<Int> in
        let first = slice.offset.first ?? 0
        return first..<first + (slice.shape.first ?? 1)
      }
      #expect(rows.first?.lowerBound == 0 && rows.last?.upperBound == (type.shape.first ?? 1), "\(name)")
      #expect(zip(rows, rows.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound }, "\(name): \(rows)")
    }
    let bytes = parts.map { $0.reduce(0) { $0 + $1.boxType.byteCount } }
    let share = tensors.reduce(0) { $0 + $1.type.byteCount } / writers
    // A row of the widest tensor has 192 bytes.
    #expect(bytes.allSatisfy { abs($0 - share) <= 192 }, "\(bytes)")
  }

  @Test func filesAreNamed() {
    #expect(ShardPlan.fileName("model", writer: 0, of: 1) == "model.safetensors")
    #expect(ShardPlan.fileName("model", writer: 1, of: 12) == "model-00002-of-00012.safetensors")
    #expect(ShardPlan.isShard("model-00002-of-00012.safetensors", of: "model"))
    #expect(!ShardPlan.isShard("optimizer.safetensors", of: "model"))
  }
}
