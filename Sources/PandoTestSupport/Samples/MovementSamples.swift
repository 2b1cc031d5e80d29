import PandoIR
import PandoOperations

extension Samples {
  /// Operations that take parts of tensors, surround them, join them and number them.
  static let movement: [OperationSample] = slices + pads + joins + others

  private static let slices: [OperationSample] = [
    OperationSample(Slice(starts: [1], limits: [4], strides: [1]), .uniform([5])),
    OperationSample(Slice(starts: [0, 2], limits: [3, 5], strides: [1, 1]), .uniform([3, 5])),
    OperationSample(Slice(starts: [1, 0], limits: [6, 7], strides: [2, 3]), .uniform([7, 7])),
    OperationSample(Slice(starts: [0, 0], limits: [4, 6], strides: [1, 1]), .uniform([4, 6])),
    OperationSample(Slice(starts: [2, 0], limits: [2, 3], strides: [1, 1]), .uniform([4, 3])),
    OperationSample(Slice(starts: [1], limits: [2], strides: [9]), .uniform([4])),
    OperationSample(Slice(starts: [], limits: [], strides: []), .uniform([])),
    OperationSample(
      Slice(starts: [1, 0], limits: [3, 2], strides: [1, 1]), .uniform([4, 2], -9...9, .int64)),
    OperationSample(
      Slice(starts: [1, 0], limits: [3, 2], strides: [1, 1]), .uniform([4, 2], -2...2, .bfloat16)),
    OperationSample(
      Slice(starts: [1, 3, 5], limits: [6, 19, 64], strides: [1, 1, 1]), .uniform([7, 19, 67]),
      checksGradient: false),
    OperationSample(
      Slice(starts: [0, 1], limits: [65, 130], strides: [2, 3]), .uniform([65, 131]),
      checksGradient: false),
  ]

  private static let pads: [OperationSample] = [
    OperationSample(Pad(low: [1], high: [2], interior: [0]), .uniform([3]), .uniform([])),
    OperationSample(Pad(low: [1, 0], high: [0, 2], interior: [2, 1]), .uniform([2, 3]), .uniform([])),
    OperationSample(Pad(low: [-1, 2], high: [1, -1], interior: [0, 0]), .uniform([4, 3]), .uniform([])),
    OperationSample(Pad(low: [-2], high: [-1], interior: [1]), .uniform([4]), .uniform([])),
    OperationSample(Pad(low: [-1], high: [-2], interior: [0]), .uniform([6]), .uniform([])),
    OperationSample(Pad(low: [-5], high: [4], interior: [0]), .uniform([3]), .uniform([])),
    OperationSample(Pad(low: [2, 0], high: [1, 0], interior: [0, 3]), .uniform([0, 3]), .uniform([])),
    OperationSample(Pad(low: [], high: [], interior: []), .uniform([]), .uniform([])),
    OperationSample(Pad(low: [0, 1], high: [0, 1], interior: [0, 0]), .uniform([4, 3]), .uniform([])),
    OperationSample(
      Pad(low: [1], high: [1], interior: [1]), .uniform([3], -9...9, .int8),
      .exactly([], [7], .int8)),
    OperationSample(
      Pad(low: [1], high: [1], interior: [0]), .uniform([3], 0...1, .bool), .exactly([], [1], .bool)),
    OperationSample(
      Pad(low: [1], high: [1], interior: [0]), .uniform([3], -2...2, .float16),
      .exactly([], [-1], .float16)),
    OperationSample(
      Pad(low: [0, 0, 3, 2], high: [0, 0, 1, 3], interior: [0, 0, 0, 1]), .uniform([2, 3, 17, 33]),
      .exactly([], [-0.5]), checksGradient: false),
  ]

  private static let joins: [OperationSample] = [
    OperationSample(Concatenate(0), .uniform([2, 3]), .uniform([1, 3])),
    OperationSample(Concatenate(1), .uniform([4, 2]), .uniform([4, 0]), .uniform([4, 5])),
    OperationSample(Concatenate(1), .uniform([2, 1, 2]), .uniform([2, 3, 2])),
    OperationSample(Concatenate(0), .uniform([3])),
    OperationSample(Concatenate(0), .uniform([2], -9...9, .int32), .uniform([3], -9...9, .int32)),
    OperationSample(Concatenate(0), .uniform([2], 0...1, .bool), .uniform([3], 0...1, .bool)),
    OperationSample(
      Concatenate(1), .uniform([2, 3], -2...2, .bfloat16), .uniform([2, 4], -2...2, .bfloat16)),
    OperationSample(
      Concatenate(1), .uniform([33, 65]), .uniform([33, 7]), .uniform([33, 64]), checksGradient: false),
  ]

  private static let others: [OperationSample] = [
    OperationSample(Reverse([0]), .uniform([5])),
    OperationSample(Reverse([0, 2]), .uniform([2, 3, 4])),
    OperationSample(Reverse([1]), .uniform([4, 0])),
    OperationSample(Reverse([]), .uniform([2, 2])),
    OperationSample(Reverse([0]), .uniform([4, 3], 0...255, .uint8)),
    OperationSample(Reverse([1]), .uniform([33, 67]), checksGradient: false),
    OperationSample(Iota(TensorType([5]), dimension: 0)),
    OperationSample(Iota(TensorType([2, 3, 4], .int32), dimension: 1)),
    OperationSample(Iota(TensorType([3, 0], .int64), dimension: 1)),
    OperationSample(Iota(TensorType([300], .uint8), dimension: 0)),
    OperationSample(Iota(TensorType([300], .int8), dimension: 0)),
    OperationSample(Iota(TensorType([300], .bfloat16), dimension: 0)),
    OperationSample(Iota(TensorType([2100], .float16), dimension: 0)),
    OperationSample(Iota(TensorType([7, 1031], .float64), dimension: 0)),
    OperationSample(Iota(TensorType([7, 1031]), dimension: 1)),
  ]
}
