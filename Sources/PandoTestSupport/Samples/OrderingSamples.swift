import PandoIR
import PandoOperations

extension Samples {
  /// Operations that depend on the order of elements along a dimension.
  static let ordering: [OperationSample] = extremes + sums + sorts + selections

  private static let withNaN: [Double] = [2, .nan, -1, .infinity, .nan, -.infinity, -0.0, 0]

  private static let extremes: [OperationSample] = [false, true].flatMap { minimum in
    [
      OperationSample(ArgMax(1, minimum: minimum), .distinct([4, 5])),
      OperationSample(ArgMax(0, minimum: minimum), .distinct([4, 2, 3])),
      OperationSample(ArgMax(0, minimum: minimum), .exactly([8], withNaN), checksGradient: false),
      OperationSample(ArgMax(0, minimum: minimum), .exactly([2], [.nan, .nan]), checksGradient: false),
      OperationSample(ArgMax(1, minimum: minimum), .uniform([4, 9], -2...2, .int32)),
      OperationSample(ArgMax(1, minimum: minimum), .uniform([4, 9], -99...99, .int64)),
      OperationSample(ArgMax(1, minimum: minimum), .uniform([4, 9], 0...255, .uint8)),
      OperationSample(ArgMax(1, minimum: minimum), .uniform([4, 9], 0...1, .bool)),
      OperationSample(ArgMax(1, minimum: minimum), .uniform([0, 9])),
      OperationSample(
        ArgMax(1, minimum: minimum), .uniform([4, 9], -2...2, .bfloat16), checksGradient: false),
      OperationSample(ArgMax(1, minimum: minimum), .uniform([17, 1031]), checksGradient: false),
      OperationSample(ArgMax(0, minimum: minimum), .uniform([65, 301]), checksGradient: false),
    ]
  }

  private static let sums: [OperationSample] = [false, true].flatMap { reverse in
    [false, true].flatMap { exclusive in
      let along = { CumulativeSum($0, reverse: reverse, exclusive: exclusive) }
      return [
        OperationSample(along(0), .uniform([5])),
        OperationSample(along(1), .uniform([2, 3, 4])),
        OperationSample(along(0), .uniform([0, 3])),
        OperationSample(along(0), .uniform([1, 3])),
        OperationSample(along(1), .uniform([4, 6], -9...9, .int32)),
        OperationSample(along(1), .uniform([4, 5], -9...9, .int64)),
        OperationSample(along(1), .uniform([4, 5], -2...2, .bfloat16)),
        OperationSample(along(1), .uniform([4, 5], -2...2, .float64)),
        OperationSample(along(1), .uniform([3, 1031]), checksGradient: false),
        OperationSample(along(0), .uniform([67, 129]), checksGradient: false),
      ]
    }
  }

  private static let sorts: [OperationSample] = [false, true].flatMap { descending in
    [
      OperationSample(Sort(0, descending: descending), .distinct([7])),
      OperationSample(Sort(1, descending: descending), .distinct([4, 5])),
      OperationSample(Sort(0, descending: descending), .distinct([4, 2, 3])),
      OperationSample(Sort(1, descending: descending), .uniform([3, 0])),
      OperationSample(Sort(1, descending: descending), .uniform([0, 3])),
      OperationSample(Sort(0, descending: descending), .exactly([8], withNaN), checksGradient: false),
      OperationSample(Sort(1, descending: descending), .uniform([4, 40], -3...3, .int32)),
      OperationSample(Sort(1, descending: descending), .uniform([4, 9], -9...9, .int8)),
      OperationSample(Sort(1, descending: descending), .uniform([4, 9], 0...1, .bool)),
      OperationSample(
        Sort(1, descending: descending), .uniform([4, 65], -2...2, .bfloat16), checksGradient: false),
      OperationSample(Sort(1, descending: descending), .uniform([9, 257]), checksGradient: false),
    ]
  }

  private static let selections: [OperationSample] = [
    OperationSample(TopK(2, dimension: 1), .distinct([4, 6])),
    OperationSample(TopK(3, dimension: 0), .distinct([4, 2, 3])),
    OperationSample(TopK(5, dimension: 0), .distinct([5])),
    OperationSample(TopK(0, dimension: 0), .distinct([5])),
    OperationSample(TopK(2, dimension: 1), .uniform([0, 5])),
    OperationSample(TopK(4, dimension: 0), .exactly([8], withNaN), checksGradient: false),
    OperationSample(TopK(5, dimension: 1), .uniform([4, 100], -2...2, .int32)),
    OperationSample(TopK(3, dimension: 1), .uniform([4, 9], -99...99, .int64)),
    OperationSample(TopK(3, dimension: 1), .uniform([4, 9], -2...2, .bfloat16), checksGradient: false),
    OperationSample(TopK(7, dimension: 1), .uniform([9, 257]), checksGradient: false),
    OperationSample(TopK(200, dimension: 1), .uniform([3, 257]), checksGradient: false),
  ]
}
