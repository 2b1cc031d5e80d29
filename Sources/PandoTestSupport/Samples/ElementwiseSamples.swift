import PandoIR
import PandoOperations

extension Samples {
  /// Unary, binary, comparison, selection, conversion, constants.
  static let elementwise: [OperationSample] = unary + binary + others

  private static let unary: [OperationSample] = Unary.Function.allCases.flatMap {
    function -> [OperationSample] in
    let operation = Unary(function)
    switch function {
    case .not:
      return [
        OperationSample(operation, .uniform([2, 3], 0...1, .bool)),
        OperationSample(operation, .uniform([5], -9...9, .int32)),
      ]
    case .logarithm, .squareRoot, .reciprocalSquareRoot:
      return [OperationSample(operation, .uniform([3, 7], 0.3...4))]
    case .logarithmPlusOne: return [OperationSample(operation, .uniform([3, 7], -0.6...4))]
    case .negate, .absolute, .sign:
      return [
        OperationSample(operation, .uniform([3, 7])),
        OperationSample(operation, .uniform([5], -9...9, .int64)),
        OperationSample(operation, .uniform([5], -9...9, .int8)),
        OperationSample(operation, .exactly([4], [0, -0.0, .infinity, -1]), checksGradient: false),
      ]
    case .isFinite:
      return [
        OperationSample(operation, .exactly([4], [0, .infinity, -.infinity, .nan]), checksGradient: false)
      ]
    case .exponential, .hyperbolicTangent, .logistic, .errorFunction:
      return [
        OperationSample(operation, .uniform([3, 7])),
        OperationSample(operation, .uniform([2], -1...1, .bfloat16)),
        OperationSample(operation, .uniform([1031], -9...9), checksGradient: false),
      ]
    default: return [OperationSample(operation, .uniform([3, 7]))]
    }
  }

  private static let binary: [OperationSample] = Binary.Function.allCases.flatMap {
    function -> [OperationSample] in
    let operation = Binary(function)
    switch function {
    case .and, .or, .xor:
      return [
        OperationSample(operation, .uniform([9], 0...1, .bool), .uniform([9], 0...1, .bool)),
        OperationSample(operation, .uniform([9], -99...99, .int32), .uniform([9], -99...99, .int32)),
        OperationSample(operation, .uniform([9], 0...255, .uint8), .uniform([9], 0...255, .uint8)),
      ]
    case .shiftLeft, .shiftRightLogical:
      return [
        OperationSample(operation, .uniform([9], -99...99, .int32), .uniform([9], 0...33, .int32)),
        OperationSample(operation, .uniform([9], -99...99, .int64), .uniform([9], 0...65, .int64)),
      ]
    case .power:
      return [
        OperationSample(operation, .uniform([2, 5], 0.3...3), .uniform([2, 5], -2...2)),
        OperationSample(operation, .uniform([9], -4...4, .int32), .uniform([9], -2...5, .int32)),
      ]
    case .divide, .remainder:
      return [
        OperationSample(operation, .uniform([2, 5], 0.5...9), .uniform([2, 5], 1.1...3)),
        OperationSample(
          operation, .exactly([4], [7, -7, 5, -128], .int8), .exactly([4], [2, 2, 0, -1], .int8)),
        OperationSample(operation, .uniform([9], -99...99, .int64), .uniform([9], 1...9, .int64)),
      ]
    case .maximum, .minimum:
      return [
        OperationSample(operation, .distinct([2, 5]), .uniform([2, 5], 0.2...8.7)),
        OperationSample(
          operation, .exactly([3], [.nan, 1, -0.5]), .exactly([3], [1, .nan, -0.5]), checksGradient: false),
        OperationSample(operation, .uniform([9], -99...99, .int32), .uniform([9], -99...99, .int32)),
      ]
    case .add, .subtract, .multiply:
      return [
        OperationSample(operation, .uniform([2, 5]), .uniform([2, 5])),
        OperationSample(
          operation, .uniform([2, 3], -2...2, .bfloat16), .uniform([2, 3], -2...2, .bfloat16)),
        OperationSample(operation, .uniform([2, 3], -2...2, .float16), .uniform([2, 3], -2...2, .float16)),
        OperationSample(operation, .uniform([0, 3]), .uniform([0, 3])),
        OperationSample(operation, .uniform([70_001]), .uniform([70_001]), checksGradient: false),
        OperationSample(operation, .uniform([9], 0...255, .uint8), .uniform([9], 0...255, .uint8)),
      ]
    }
  }

  private static let others: [OperationSample] =
    Compare.Direction.allCases.flatMap { direction in
      [
        OperationSample(Compare(direction), .exactly([4], [1, 2, 3, .nan]), .exactly([4], [1, 3, 2, .nan])),
        OperationSample(Compare(direction), .uniform([9], -2...2, .int32), .uniform([9], -2...2, .int32)),
      ]
    } + [
      OperationSample(Select(), .uniform([2, 5], 0...1, .bool), .uniform([2, 5]), .uniform([2, 5])),
      OperationSample(
        Select(), .uniform([9], 0...1, .bool), .uniform([9], -9...9, .int64), .uniform([9], -9...9, .int64)),
      OperationSample(Constant(2.5, .float32)), OperationSample(Constant(3, .int64)),
      OperationSample(Constant(type: TensorType([3], .uint8), bytes: [1, 2, 255])),
    ]
    + DType.allCases.flatMap { source in
      DType.allCases.filter { $0 != source }.map { target in
        // Rounding to a narrower type is a staircase, which finite differences see and the gradient rightly ignores.
        OperationSample(
          Convert(to: target), .uniform([11], source == .uint8 ? 0...255 : -120...120, source),
          checksGradient: target == .float64)
      }
    } + [
      OperationSample(
        Convert(to: .int32), .exactly([5], [1e20, -1e20, .nan, 2.9, -2.9]), checksGradient: false),
      OperationSample(Convert(to: .bfloat16), .uniform([9], -2...2, .float64), checksGradient: false),
    ]
}
