import PandoIR
import PandoOperations

extension Samples {
  /// Operations that move elements without arithmetic.
  static let shape: [OperationSample] = [
    OperationSample(Broadcast(shape: [2, 3], dimensions: []), .uniform([])),
    OperationSample(Broadcast(shape: [2, 3, 4], dimensions: [1]), .uniform([3])),
    OperationSample(Broadcast(shape: [2, 3, 4], dimensions: [0, 2]), .uniform([2, 1])),
    OperationSample(Broadcast(shape: [4], dimensions: [0]), .uniform([4], -9...9, .int64)),
    OperationSample(Reshape([6]), .uniform([2, 3])),
    OperationSample(Reshape([2, 2, 3]), .uniform([4, 3])),
    OperationSample(Reshape([]), .uniform([1, 1], 0...1, .bool)),
    OperationSample(Barrier(), .uniform([3, 5]), .uniform([2])),
    OperationSample(Barrier(), .uniform([4], -9...9, .int32), .uniform([])),
    OperationSample(Transpose([1, 0]), .uniform([3, 5])),
    OperationSample(Transpose([2, 0, 1]), .uniform([2, 3, 4])),
    OperationSample(Transpose([0, 2, 1, 3]), .uniform([2, 3, 4, 5], -9...9, .int8)),
    OperationSample(Transpose([1, 0]), .uniform([129, 67]), checksGradient: false),
  ]
}
