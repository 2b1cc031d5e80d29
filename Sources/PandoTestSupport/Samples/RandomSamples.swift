import PandoIR
import PandoOperations

extension Samples {
  /// Draws from counter-based streams.
  static let random: [OperationSample] = [
    OperationSample(RandomBits(shape: [4], stream: 0), .exactly([2], [0, 0], .int64)),
    OperationSample(RandomBits(shape: [], stream: 3), .exactly([2], [1, 2], .int64)),
    OperationSample(RandomBits(shape: [0, 3], stream: 3), .exactly([2], [1, 2], .int64)),
    OperationSample(RandomBits(shape: [3, 5, 7], stream: 0xFFFF_FFFF), .exactly([2], [-1, -1], .int64)),
    OperationSample(
      RandomBits(shape: [1031], stream: 12345), .exactly([2], [0x1_2345_6789, 0x7_0000_0001], .int64)),
    OperationSample(RandomUniform(shape: [3, 5], stream: 1), .exactly([2], [7, 9], .int64)),
    OperationSample(
      RandomUniform(shape: [3, 5], dtype: .float64, stream: 1), .exactly([2], [7, 9], .int64)),
    OperationSample(RandomUniform(shape: [35], dtype: .bfloat16, stream: 1), .exactly([2], [7, 9], .int64)),
    OperationSample(RandomUniform(shape: [35], dtype: .float16, stream: 1), .exactly([2], [7, 9], .int64)),
    OperationSample(RandomUniform(shape: [1031], stream: 2), .exactly([2], [7, 9], .int64)),
    OperationSample(RandomNormal(shape: [3, 5], stream: 1), .exactly([2], [7, 9], .int64)),
    OperationSample(RandomNormal(shape: [3, 5], dtype: .float64, stream: 1), .exactly([2], [7, 9], .int64)),
    OperationSample(RandomNormal(shape: [35], dtype: .bfloat16, stream: 1), .exactly([2], [7, 9], .int64)),
    OperationSample(RandomNormal(shape: [0], stream: 1), .exactly([2], [7, 9], .int64)),
    OperationSample(RandomNormal(shape: [1031], stream: 2), .exactly([2], [7, 9], .int64)),
    OperationSample(
      RandomBernoulli(shape: [1031], probability: 0.3, stream: 2), .exactly([2], [7, 9], .int64)),
    OperationSample(RandomBernoulli(shape: [5], probability: 1, stream: 2), .exactly([2], [7, 9], .int64)),
    OperationSample(RandomBernoulli(shape: [5], probability: 0, stream: 2), .exactly([2], [7, 9], .int64)),
  ]
}
