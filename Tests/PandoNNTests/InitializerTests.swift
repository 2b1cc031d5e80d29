import Foundation
import Pando
import PandoNN
import Testing

/// What the documentation says of initial weights, element by element, from the generator itself.
@Suite struct InitializerTests {
  private static let name = "blocks.0.weight"
  private static let seed: UInt64 = 0x1234_5678_9abc_def0

  private func unit(_ index: Int) -> Double {
    let stream = Self.name.utf8.reduce(UInt32(0x811C_9DC5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    let words = Philox.block(UInt64(index / 4), stream: stream, step: 0, seed: Self.seed)
    return Double(words[index % 4] >> 8) * 0x1p-24
  }

  private func made(_ initializer: Initializer, _ type: TensorType) -> [Double] {
    initializer.makeBuffer(type, name: Self.name, seed: Self.seed).doubles
  }

  @Test(arguments: [0, 1, 3, 511, 512, 1037, 70001])
  func normal(count: Int) {
    let values = made(.normal(mean: 0.5, deviation: 2), TensorType([count], .float64))
    #expect(values.count == count)
    for (index, value) in values.enumerated() {
      let radius = (-2 * log(unit(2 * index) + 0x1p-25)).squareRoot()
      let expected = 0.5 + 2 * radius * cos(2 * .pi * unit(2 * index + 1))
      #expect(abs(value - expected) < 1e-14)
    }
  }

  @Test(arguments: [0, 1, 3, 511, 512, 1037, 70001])
  func uniform(count: Int) {
    let values = made(.uniform(bound: 0.3), TensorType([count], .float64))
    #expect(values == (0..<count).map { (unit($0) * 2 - 1) * 0.3 })
  }

  @Test(arguments: [DType.float32, .bfloat16, .float16])
  func roundsToTheType(dtype: DType) {
    for initializer in [Initializer.uniform(bound: 1), .normal(deviation: 1)] {
      let type = TensorType([17, 64], dtype)
      let wide = made(initializer, type.with(dtype: .float64))
      #expect(made(initializer, type) == HostBuffer(type, doubles: wide).doubles)
    }
  }

  @Test func constants() {
    #expect(made(.zeros, TensorType([5])) == [0, 0, 0, 0, 0])
    #expect(made(.ones, TensorType([3], .bfloat16)) == [1, 1, 1])
  }
}
