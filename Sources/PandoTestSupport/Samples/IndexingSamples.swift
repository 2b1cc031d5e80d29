import PandoIR
import PandoOperations

extension Samples {
  /// Operations that look places up when the program runs. Some indices are outside.
  static let indexing: [OperationSample] = gathers + gatherGradients + scatters + dynamicSlices

  private static let gathers: [OperationSample] = [
    OperationSample(Gather(axis: 0), .uniform([5, 3]), .uniform([4], -2...7, .int32)),
    OperationSample(Gather(axis: 0), .uniform([6, 3]), .uniform([2, 3], 0...5, .int64)),
    OperationSample(Gather(axis: 1), .uniform([2, 5, 4]), .uniform([3], 0...4, .int32)),
    OperationSample(Gather(axis: 1), .uniform([2, 5]), .exactly([], [3], .int32)),
    OperationSample(
      Gather(axis: 1, batchDimensions: 1), .uniform([2, 5]), .uniform([2, 3], -1...5, .int32)),
    OperationSample(Gather(axis: 1, batchDimensions: 1), .uniform([2, 5, 4]), .uniform([2], 0...4, .int64)),
    OperationSample(
      Gather(axis: 2, batchDimensions: 1), .uniform([2, 4, 5, 2]), .uniform([2, 3, 2], 0...4, .int32)),
    OperationSample(
      Gather(axis: 2, batchDimensions: 2), .uniform([2, 4, 5]), .uniform([2, 4, 3], 0...4, .int32)),
    OperationSample(Gather(axis: 0), .uniform([5, 3]), .uniform([0], 0...4, .int32)),
    OperationSample(Gather(axis: 0), .uniform([5, 0]), .uniform([4], 0...4, .int32)),
    OperationSample(Gather(axis: 0), .uniform([1]), .uniform([4], 0...4, .int32)),
    OperationSample(Gather(axis: 0), .uniform([5, 3], -9...9, .int64), .uniform([4], 0...4, .int32)),
    OperationSample(Gather(axis: 0), .uniform([5, 3], 0...255, .uint8), .uniform([4], 0...4, .int64)),
    OperationSample(Gather(axis: 0), .uniform([5, 3], -2...2, .bfloat16), .uniform([9], 0...4, .int32)),
    OperationSample(Gather(axis: 0), .uniform([5, 3], -2...2, .float64), .uniform([9], 0...4, .int32)),
    OperationSample(Gather(axis: 0), .uniform([65, 129]), .uniform([8, 33], 0...64, .int32)),
    OperationSample(
      Gather(axis: 1, batchDimensions: 1), .uniform([67, 65]), .uniform([67], 0...64, .int32),
      checksGradient: false),
  ]

  private static let gatherGradients: [OperationSample] = [
    OperationSample(GatherGradient(axis: 0, size: 5), .uniform([4], -2...7, .int32), .uniform([4, 3])),
    OperationSample(
      GatherGradient(axis: 0, size: 4), .uniform([2, 6], 0...3, .int64), .uniform([2, 6, 2])),
    OperationSample(
      GatherGradient(axis: 2, batchDimensions: 1, size: 5), .uniform([2, 3], 0...4, .int32),
      .uniform([2, 4, 3, 2])),
    OperationSample(
      GatherGradient(axis: 1, batchDimensions: 1, size: 5), .uniform([4], 0...4, .int32), .uniform([4])),
    OperationSample(GatherGradient(axis: 0, size: 5), .uniform([0], 0...4, .int32), .uniform([0, 3])),
    OperationSample(
      GatherGradient(axis: 0, size: 3), .uniform([64], 0...2, .int32), .uniform([64, 2], -2...2, .bfloat16)),
    OperationSample(
      GatherGradient(axis: 0, size: 65), .uniform([8, 33], 0...64, .int32), .uniform([8, 33, 129]),
      checksGradient: false),
  ]

  private static let scatters: [OperationSample] = [
    OperationSample(
      ScatterAdd(axis: 0), .uniform([6, 3]), .uniform([4], -2...7, .int32), .uniform([4, 3])),
    OperationSample(
      ScatterAdd(axis: 1), .uniform([2, 5, 4]), .uniform([2, 3], 0...4, .int64), .uniform([2, 2, 3, 4])),
    OperationSample(
      ScatterAdd(axis: 1, batchDimensions: 1), .uniform([2, 5]), .uniform([2, 3], -1...5, .int32),
      .uniform([2, 3])),
    OperationSample(
      ScatterAdd(axis: 2, batchDimensions: 1), .uniform([2, 4, 5, 2]), .uniform([2, 3], 0...4, .int32),
      .uniform([2, 4, 3, 2])),
    OperationSample(ScatterAdd(axis: 0), .uniform([3]), .exactly([], [1], .int32), .uniform([])),
    OperationSample(ScatterAdd(axis: 0), .uniform([3]), .uniform([0], 0...2, .int32), .uniform([0])),
    OperationSample(
      ScatterAdd(axis: 0), .uniform([3], -9...9, .int32), .uniform([7], 0...2, .int32),
      .uniform([7], -9...9, .int32)),
    OperationSample(
      ScatterAdd(axis: 0), .uniform([3], -9...9, .int64), .uniform([7], 0...2, .int64),
      .uniform([7], -9...9, .int64)),
    OperationSample(
      ScatterAdd(axis: 0), .uniform([3, 2], -2...2, .float64), .uniform([7], 0...2, .int64),
      .uniform([7, 2], -2...2, .float64)),
    OperationSample(
      ScatterAdd(axis: 0), .uniform([65, 129]), .uniform([264], -3...70, .int32), .uniform([264, 129]),
      checksGradient: false),
    OperationSample(
      ScatterAdd(axis: 1, batchDimensions: 1), .uniform([67, 65]), .uniform([67, 33], -1...65, .int64),
      .uniform([67, 33]), checksGradient: false),
    OperationSample(
      ScatterAdd(axis: 0), .uniform([257, 3]), .uniform([1031], 0...256, .int32), .uniform([1031, 3]),
      checksGradient: false),
  ]

  private static let dynamicSlices: [OperationSample] = [
    OperationSample(DynamicSlice(sizes: [2, 3]), .uniform([4, 5]), .exactly([2], [1, 2], .int32)),
    OperationSample(DynamicSlice(sizes: [2, 3]), .uniform([4, 5]), .exactly([2], [3, -1], .int64)),
    OperationSample(DynamicSlice(sizes: [2, 6]), .uniform([4, 6]), .exactly([2], [1, 0], .int32)),
    OperationSample(DynamicSlice(sizes: [0, 3]), .uniform([4, 5]), .exactly([2], [1, 2], .int32)),
    OperationSample(DynamicSlice(sizes: []), .uniform([]), .exactly([0], [], .int32)),
    OperationSample(
      DynamicSlice(sizes: [2]), .uniform([4], 0...1, .bool), .exactly([1], [1], .int32)),
    OperationSample(
      DynamicSlice(sizes: [17, 64]), .uniform([33, 67], -2...2, .bfloat16), .exactly([2], [9, 2], .int32)),
    OperationSample(
      DynamicUpdateSlice(), .uniform([4, 5]), .uniform([2, 3]), .exactly([2], [1, 2], .int32)),
    OperationSample(
      DynamicUpdateSlice(), .uniform([4, 6]), .uniform([2, 6]), .exactly([2], [9, 1], .int64)),
    OperationSample(
      DynamicUpdateSlice(), .uniform([4, 5]), .uniform([0, 3]), .exactly([2], [1, 2], .int32)),
    OperationSample(
      DynamicUpdateSlice(), .uniform([4], -9...9, .int64), .uniform([2], -9...9, .int64),
      .exactly([1], [1], .int32)),
    OperationSample(
      DynamicUpdateSlice(), .uniform([33, 67]), .uniform([17, 64]), .exactly([2], [9, 2], .int32),
      checksGradient: false),
  ]
}
