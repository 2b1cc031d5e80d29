import Foundation
import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// The generator by its published answers, the distributions by what a sample of them must look like. Seeds are fixed,
/// so a test gives the same answer every time.
@Suite struct RandomTests {
  /// The known answers of Random123, the authors' library.
  @Test func theGeneratorIsPhilox() {
    typealias Block = SIMD4<UInt32>
    #expect(
      Philox.block(counter: .zero, key: .zero)
        == Block(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      Philox.block(counter: Block(repeating: .max), key: SIMD2(repeating: .max))
        == Block(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      Philox.block(
        counter: Block(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
        key: SIMD2(0xa409_3822, 0x299f_31d0))
        == Block(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test func elementsAreTheWordsOfBlocksInOrder() throws {
    let words = try bits(RandomBits(shape: [2, 3], stream: 0), seed: 0, step: 0)
    #expect(words.prefix(4) == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
    let next = Philox.block(counter: SIMD4(1, 0, 0, 0), key: .zero)
    #expect(words.suffix(2) == [next[0], next[1]])
  }

  /// Counter {0, 0, stream, step's lower half}, key {seed's lower half, its upper half}.
  @Test func seedStepAndStreamStandWhereTheySay() throws {
    let words = try bits(
      RandomBits(shape: [4], stream: 0xdead_beef), seed: 0x0123_4567_89ab_cdef, step: 0x7_0000_002a)
    let block = Philox.block(
      counter: SIMD4(0, 0, 0xdead_beef, 0x2a), key: SIMD2(0x89ab_cdef, 0x0123_4567))
    #expect(words == (0..<4).map { block[$0] })
  }

  @Test func streamsStepsAndSeedsDiffer() throws {
    let operation = RandomBits(shape: [64], stream: 1)
    let draws = [
      try bits(operation, seed: 1, step: 1), try bits(operation, seed: 1, step: 2),
      try bits(operation, seed: 2, step: 1),
      try bits(RandomBits(shape: [64], stream: 2), seed: 1, step: 1),
      try bits(RandomBits(shape: [64], stream: RandomBits.stream(1, lane: 1)), seed: 1, step: 1),
    ]
    #expect(Set(draws.joined()).count == 5 * 64)
    #expect(try bits(operation, seed: 1, step: 1) == draws[0])
  }

  @Test(arguments: [DType.float32, .float64]) func uniformNumbersAreEven(_ dtype: DType) throws {
    let x = try draw(RandomUniform(shape: [200, 200], dtype: dtype, stream: 3))
    #expect(x.allSatisfy { $0 >= 0 && $0 < 1 && ($0 * 0x1p24).rounded() == $0 * 0x1p24 })
    let moments = Moments(x)
    // Four standard errors.
    #expect(abs(moments.mean - 0.5) < 4 * (1.0 / 12 / 40_000).squareRoot())
    #expect(abs(moments.variance - 1.0 / 12) < 4 * (1.0 / 180 / 40_000).squareRoot())
    #expect(distance(x) { $0 } < 1.63)
    #expect(abs(moments.neighbours) < 4 / 200)
  }

  /// Every value of a narrow type occurs, and 1 is not among them.
  @Test func narrowUniformNumbersNeverReachOne() throws {
    let brain = try draw(RandomUniform(shape: [40_000], dtype: .bfloat16, stream: 3))
    #expect(Set(brain) == Set((0..<256).map { Double($0) / 256 }))
    let half = try draw(RandomUniform(shape: [40_000], dtype: .float16, stream: 3))
    #expect(Set(half) == Set((0..<2048).map { Double($0) / 2048 }))
  }

  @Test(arguments: [DType.float32, .float64]) func normalNumbersAreNormal(_ dtype: DType) throws {
    let x = try draw(RandomNormal(shape: [40_000], dtype: dtype, stream: 5))
    let moments = Moments(x)
    #expect(abs(moments.mean) < 4 / 200)
    #expect(abs(moments.variance - 1) < 4 * (2.0 / 40_000).squareRoot())
    #expect(abs(moments.skew) < 4 * (6.0 / 40_000).squareRoot())
    #expect(abs(moments.kurtosis - 3) < 4 * (24.0 / 40_000).squareRoot())
    #expect(distance(x) { 0.5 * erfc(-$0 / 2.0.squareRoot()) } < 1.63)
    #expect(abs(moments.neighbours) < 4 / 200)
    #expect(x.allSatisfy { abs($0) < 5.78 })
  }

  /// A stream's lanes are no other stream: what two operations draw is not related.
  @Test func normalNumbersOfTwoStreamsAreUnrelated() throws {
    let x = try draw(RandomNormal(shape: [40_000], stream: 5))
    let y = try draw(RandomNormal(shape: [40_000], stream: 6))
    #expect(abs(zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } / 40_000) < 4 / 200)
  }

  @Test func truthHasItsProbability() throws {
    let rare = try draw(RandomBernoulli(shape: [40_000], probability: 0.1, stream: 7))
    #expect(abs(Moments(rare).mean - 0.1) < 4 * (0.09 / 40_000).squareRoot())
    #expect(try draw(RandomBernoulli(shape: [4000], probability: 0, stream: 7)).allSatisfy { $0 == 0 })
    #expect(try draw(RandomBernoulli(shape: [4000], probability: 1, stream: 7)).allSatisfy { $0 == 1 })
  }

  @Test func errorsSayWhatToDo() {
    let key = TensorType([2], .int64)
    #expect(message(RandomBits(shape: [2], stream: 0), TensorType([2])).contains("the key must be int64[2]"))
    #expect(message(RandomBits(shape: [2], stream: -1), key).contains("from 0 to 4294967295, got -1"))
    #expect(message(RandomBits(shape: [-2], stream: 0), key).contains("[-2] is no shape"))
    #expect(
      message(RandomNormal(shape: [2], stream: 1 << 30), key).contains(
        "the stream must be from 0 to 1073741823"))
    #expect(
      message(RandomUniform(shape: [2], dtype: .int32, stream: 1), key)
        .contains("the result must be floating point, got int32[2]"))
    #expect(message(RandomUniform(shape: [2], stream: 1), TensorType([1], .int64)).contains("the key"))
    #expect(message(RandomNormal(shape: [.max, 2], stream: 1), key).contains("is no shape"))
    #expect(
      message(RandomBernoulli(shape: [2], probability: 1.5, stream: 1), key)
        .contains("must be from 0 to 1, got 1.5"))
  }

  private func bits(_ operation: RandomBits, seed: Int64, step: Int64) throws -> [UInt32] {
    let key = ReferenceTensor(TensorType([2], .int64), integers: [seed, step])
    return try ReferenceEngine.evaluate(operation, [key])[0].integers.map { UInt32(truncatingIfNeeded: $0) }
  }

  private func draw(_ operation: any PandoIR.Operation) throws -> [Double] {
    let key = ReferenceTensor(TensorType([2], .int64), integers: [20_240_607, 3])
    return try ReferenceEngine.evaluate(operation, [key])[0].doubles
  }

  /// Kolmogorov and Smirnov's statistic times the root of the count: above 1.63 for one sample in a hundred.
  private func distance(_ x: [Double], _ distribution: (Double) -> Double) -> Double {
    let count = Double(x.count)
    let largest = x.sorted().enumerated().reduce(0) { largest, next in
      let expected = distribution(next.element)
      return max(
        largest, abs(expected - Double(next.offset) / count), abs(expected - Double(next.offset + 1) / count))
    }
    return largest * count.squareRoot()
  }
}

private struct Moments {
  var mean = 0.0, variance = 0.0, skew = 0.0, kurtosis = 0.0
  /// The correlation of each element with the next.
  var neighbours = 0.0

  init(_ x: [Double]) {
    let count = Double(x.count)
    let mean = x.reduce(0, +) / count
    func moment(_ power: Int) -> Double { x.reduce(0) { $0 + pow($1 - mean, Double(power)) } / count }
    self.mean = mean
    variance = moment(2)
    skew = moment(3) / pow(variance, 1.5)
    kurtosis = moment(4) / (variance * variance)
    neighbours = zip(x, x.dropFirst()).reduce(0) { $0 + ($1.0 - mean) * ($1.1 - mean) } / count / variance
  }
}
