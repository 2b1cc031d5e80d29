import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// Values worked out by hand.
@Suite struct IndexingTests {
  @Test func gatheringTakesRowsAndClamps() throws {
    let y = try taken(Gather(axis: 0), ([3, 2], [1, 2, 3, 4, 5, 6]), ([4], [2, 0, -5, 9]))
    #expect(y.type.shape == [4, 2])
    #expect(y.reals == [5, 6, 1, 2, 1, 2, 5, 6])
  }

  @Test func theAxisIsReplacedByTheIndicesDimensions() throws {
    let y = try taken(Gather(axis: 1), ([2, 3], [1, 2, 3, 4, 5, 6]), ([2, 2], [0, 2, 1, 1]))
    #expect(y.type.shape == [2, 2, 2])
    #expect(y.reals == [1, 3, 2, 2, 4, 6, 5, 5])
  }

  @Test func batchDimensionsHaveIndicesOfTheirOwn() throws {
    let along = try taken(
      Gather(axis: 1, batchDimensions: 1), ([2, 3], [1, 2, 3, 4, 5, 6]), ([2, 2], [0, 2, 1, 1]))
    #expect(along.reals == [1, 3, 5, 5])
    // [b, m, axis] by [b]: one place for each batch, the same for every m.
    let one = try taken(
      Gather(axis: 2, batchDimensions: 1), ([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]), ([2], [1, 0]))
    #expect(one.type.shape == [2, 2])
    #expect(one.reals == [2, 4, 5, 7])
  }

  @Test func scatteringAddsUpAndLeavesOut() throws {
    let y = try ReferenceEngine.evaluate(
      ScatterAdd(axis: 0),
      [real([3], [10, 20, 30]), whole([5], [2, 0, 2, -1, 3]), real([5], [1, 2, 3, 4, 5])])[0]
    #expect(y.reals == [12, 20, 34])
  }

  /// A gather clamps, so its gradient must bring back what the clamped indices took.
  @Test func theGradientOfAGatherClampsAsItDoes() throws {
    let dx = try ReferenceEngine.evaluate(
      GatherGradient(axis: 0, size: 3), [whole([4], [2, 0, -5, 9]), real([4], [1, 2, 3, 4])])[0]
    #expect(dx.reals == [5, 0, 5])
  }

  /// 300 times 1 is 256 where each sum is rounded to bfloat16.
  @Test func sumsOfNarrowTypesAreRoundedOnce() throws {
    let ones = ReferenceTensor(TensorType([300], .bfloat16), reals: Array(repeating: 1, count: 300))
    let dx = try ReferenceEngine.evaluate(
      GatherGradient(axis: 0, size: 1), [whole([300], Array(repeating: 0, count: 300)), ones])[0]
    #expect(dx.type.dtype == .bfloat16)
    #expect(dx.reals == [300])
  }

  /// An index dimension of an embedding's gradient is the batch: splitting it must leave partial sums.
  @Test func anEmbeddingsGradientMayBeSplitAlongTheBatch() {
    let rule = GatherGradient(axis: 0, size: 7).shardingRule([
      TensorType([4, 6], .int32), TensorType([4, 6, 2]),
    ])
    #expect(rule.operands == ["cd", "cdb"])
    #expect(rule.results == ["ab"])
    #expect(rule.whole == ["a"])
    #expect(rule.reduction == .sum)
  }

  @Test func boxesAreMovedInside() throws {
    let y = try ReferenceEngine.evaluate(
      DynamicSlice(sizes: [2]), [real([4], [1, 2, 3, 4]), whole([1], [3])])[0]
    #expect(y.reals == [3, 4])
    let z = try ReferenceEngine.evaluate(
      DynamicUpdateSlice(), [real([4], [1, 2, 3, 4]), real([2], [8, 9]), whole([1], [-7])])[0]
    #expect(z.reals == [8, 9, 3, 4])
  }

  @Test func errorsSayWhatToDo() {
    let (x, i) = (TensorType([2, 3]), TensorType([2, 4], .int32))
    #expect(
      message(Gather(axis: 0), x, TensorType([4])).contains("must be int32 or int64, got float32[4]"))
    #expect(message(Gather(axis: 2), x, i).contains("float32[2,3] has no dimension 2"))
    #expect(message(Gather(axis: 0, batchDimensions: 1), x, i).contains("give 0 to 0 for axis 0"))
    #expect(
      message(Gather(axis: 1, batchDimensions: 1), x, TensorType([5], .int32))
        .contains("the first 1 dimensions of float32[2,3] and of the indices int32[5] must be equal"))
    #expect(message(Gather(axis: 0), TensorType([0, 3]), i).contains("is empty"))
    #expect(
      message(ScatterAdd(axis: 0), x, i, TensorType([2, 4]))
        .contains("the updates must be float32[2,4,3] for float32[2,3] and indices int32[2,4]"))
    #expect(
      message(ScatterAdd(axis: 0), x.with(dtype: .bool), i, x).contains("adds numbers, got bool[2,3]"))
    #expect(
      message(GatherGradient(axis: 3, size: 2), i, x).contains("cannot have been taken along dimension 3"))
    #expect(message(GatherGradient(axis: 0, size: 0), i, TensorType([2, 4])).contains("is empty"))
    #expect(
      message(GatherGradient(axis: 0, size: 2), i, TensorType([2, 5]))
        .contains("the cotangent must be float32[2,4]"))
    #expect(
      message(DynamicSlice(sizes: [2, 4]), x, TensorType([2], .int32))
        .contains("a box of [2, 4] does not fit into float32[2,3]"))
    #expect(
      message(DynamicSlice(sizes: [1, 1]), x, TensorType([3], .int32))
        .contains("the start must be int32[2] or int64[2] for float32[2,3], got int32[3]"))
    #expect(
      message(DynamicUpdateSlice(), x, TensorType([1, 1], .int8), TensorType([2], .int32))
        .contains("cannot write int8[1,1] into float32[2,3]"))
  }

  private func real(_ shape: [Int], _ elements: [Double]) -> ReferenceTensor {
    ReferenceTensor(TensorType(shape, .float64), reals: elements)
  }

  private func whole(_ shape: [Int], _ elements: [Int64]) -> ReferenceTensor {
    ReferenceTensor(TensorType(shape, .int32), integers: elements)
  }

  private func taken(
    _ gather: Gather, _ x: ([Int], [Double]), _ indices: ([Int], [Int64])
  ) throws -> ReferenceTensor {
    try ReferenceEngine.evaluate(gather, [real(x.0, x.1), whole(indices.0, indices.1)])[0]
  }
}
