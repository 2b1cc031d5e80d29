import PandoIR
import PandoOperations

extension Samples {
  /// Operations that combine the elements along dimensions.
  static let reduction: [OperationSample] =
    Reduce.Function.allCases.flatMap { function in
      [
        OperationSample(Reduce(function, [1]), .fromOne([3, 5])),
        OperationSample(Reduce(function, [0]), .fromOne([3, 5])),
        OperationSample(Reduce(function, [0, 2]), .fromOne([2, 3, 4])),
        OperationSample(Reduce(function, [0, 1]), .uniform([3, 5], -3...3, .int32)),
        OperationSample(Reduce(function, [1]), .uniform([3, 5], 0.5...1.5, .bfloat16)),
        OperationSample(
          Reduce(function, [0, 2, 3]), .uniform([4, 3, 9, 9], 0.9...1.1), checksGradient: false),
        OperationSample(Reduce(function, []), .uniform([2, 2])),
      ]
    } + [
      OperationSample(
        Reduce(.maximum, [1]), .exactly([2, 3], [1, .nan, 2, 3, 4, 5]), checksGradient: false),
      OperationSample(Reduce(.minimum, [0]), .uniform([4], 0...1, .bool)),
      OperationSample(Reduce(.sum, [0]), .uniform([0, 3])),
      OperationSample(Reduce(.sum, [1]), .uniform([3, 100_003]), checksGradient: false),
      OperationSample(SumOfSquares(), .uniform([3, 5])),
      OperationSample(SumOfSquares(), .uniform([])),
      OperationSample(SumOfSquares(), .uniform([0, 3])),
      OperationSample(SumOfSquares(), .uniform([7], -2...2, .float64)),
      OperationSample(SumOfSquares(), .uniform([17], -2...2, .bfloat16), checksGradient: false),
      OperationSample(SumOfSquares(), .uniform([5, 100_003]), checksGradient: false),
    ]
    + [DType.bfloat16, .float16].flatMap { dtype in
      [[3, 5, 2], [17, 9, 33], [2050, 3, 19]].flatMap { shape in
        [[0], [1], [0, 2]].map { dimensions in
          OperationSample(
            Reduce(.sum, dimensions, dtype: .float32), .uniform(shape, -2...2, dtype), checksGradient: false)
        }
      }
    }
}

extension OperationSample.Operand {
  /// 1, 1.1, 1.2 … in a mixed order: no ties, and no zero factor in a product.
  fileprivate static func fromOne(_ shape: [Int]) -> Self {
    let count = shape.reduce(1, *)
    return .exactly(shape, (0..<count).map { 1 + 0.1 * Double(($0 * 7) % count) })
  }
}
