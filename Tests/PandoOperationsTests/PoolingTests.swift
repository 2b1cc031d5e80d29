import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// Values worked out by hand.
@Suite struct PoolingTests {
  @Test func paddingNeverWins() throws {
    let window = PoolingWindow(size: [2], low: [1], high: [1])
    #expect(try evaluated(MaxPool(window), ([1, 1, 4], [-3, -2, -5, -4])) == [[-3, -2, -4]])
    #expect(try evaluated(SumPool(window), ([1, 1, 4], [-3, -2, -5, -4])) == [[-3, -7, -4]])
  }

  @Test func notANumberWins() throws {
    let y = try evaluated(MaxPool(PoolingWindow(size: [2])), ([1, 1, 6], [1, .nan, .nan, 1, 2, 1]))[0]
    #expect(agree(y, [.nan, .nan, 2]))
  }

  @Test func theFirstOfEqualsGetsTheGradient() throws {
    let window = PoolingWindow(size: [2, 2])
    let x: ([Int], [Double]) = ([1, 1, 2, 4], [1, 3, .nan, 5, 3, 3, 5, .nan])
    #expect(
      try evaluated(MaxPoolGradient(window), x, ([1, 1, 1, 2], [7, 8])) == [[0, 7, 8, 0, 0, 0, 0, 0]])
    #expect(
      try evaluated(MaxPoolSelect(window), x, ([1, 1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8])) == [[2, 3]])
  }

  @Test func windowsThatShareTheLargestAddUp() throws {
    let window = PoolingWindow(size: [2], strides: [1])
    #expect(
      try evaluated(MaxPoolGradient(window), ([1, 1, 3], [1, 9, 2]), ([1, 1, 2], [7, 8])) == [[0, 15, 0]])
    #expect(try evaluated(SumPoolGradient(window, input: [3]), ([1, 1, 2], [7, 8])) == [[7, 15, 8]])
  }

  @Test func dilationSkipsElements() throws {
    let window = PoolingWindow(size: [2], strides: [1], low: [1], dilation: [2])
    #expect(try evaluated(MaxPool(window), ([1, 1, 4], [1, 8, 2, 4])) == [[8, 2, 8]])
    // The window reaches over both elements without meeting one.
    let wide = PoolingWindow(size: [2], strides: [1], low: [1], high: [1], dilation: [3])
    let x: ([Int], [Double]) = ([1, 1, 2], [1, 2])
    #expect(try evaluated(MaxPool(wide), x) == [[-.infinity]])
    #expect(try evaluated(MaxPoolGradient(wide), x, ([1, 1, 1], [5])) == [[0, 0]])
    #expect(try evaluated(MaxPoolSelect(wide), x, x) == [[0]])
    #expect(try evaluated(AveragePool(wide, countsPadding: false), x) == [[0]])
  }

  @Test func poolingWorksOverThreeDimensions() throws {
    let cube: ([Int], [Double]) = ([1, 1, 2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(try evaluated(MaxPool(PoolingWindow(size: [2, 1, 2])), cube) == [[6, 8]])
    #expect(try evaluated(SumPool(PoolingWindow(size: [2, 2, 2])), cube) == [[36]])
  }

  @Test func meansCountPaddingOrNot() throws {
    let window = PoolingWindow(size: [2], low: [1], high: [1])
    #expect(try evaluated(AveragePool(window), ([1, 1, 4], [2, 4, 6, 8])) == [[1, 5, 4]])
    #expect(
      try evaluated(AveragePool(window, countsPadding: false), ([1, 1, 4], [2, 4, 6, 8])) == [[2, 5, 8]])
  }

  /// The windows of 5 elements in 3 places are 0..<2, 1..<4 and 3..<5; of 2 elements in 3 places 0..<1, 0..<2, 1..<2.
  @Test func adaptiveWindowsOverlapWhereTheyMust() throws {
    let pool = AdaptiveAveragePool(output: [3])
    #expect(agree(try evaluated(pool, ([1, 1, 5], [1, 2, 4, 8, 16]))[0], [1.5, 14.0 / 3, 12]))
    #expect(try evaluated(pool, ([1, 1, 2], [1, 3])) == [[1, 2, 3]])
    #expect(
      try evaluated(AdaptiveAveragePool(output: [1, 2]), ([1, 1, 2, 2], [1, 2, 3, 6])) == [[2, 4]])
  }

  @Test func errorsSayWhatToDo() {
    let x = TensorType([2, 3, 4, 4])
    #expect(
      message(MaxPool(PoolingWindow(size: [5, 2])), x).contains(
        "a window of [5, 2] with dilation [1, 1] does not fit into [4, 4]")
    )
    #expect(message(MaxPool(PoolingWindow(size: [2])), x).contains("and 1 spatial dimensions"))
    #expect(
      message(MaxPool(PoolingWindow(size: [2, 2], low: [2, 0])), x).contains(
        "less than the window reaches, [2, 2]"))
    #expect(message(SumPool(PoolingWindow(size: [2, 0])), x).contains("must be at least 1"))
    #expect(message(SumPool(PoolingWindow(size: [2, 2], strides: [2])), x).contains("one number for each"))
    #expect(
      message(MaxPool(PoolingWindow(size: [2], low: [1], high: [1])), TensorType([2, 3, 0]))
        .contains("does not fit into [0]"))
    #expect(message(SumPool(PoolingWindow(size: [2, 2])), x.with(dtype: .int32)).contains("floating point"))
    #expect(
      message(MaxPoolGradient(PoolingWindow(size: [2, 2])), x, x)
        .contains("dy must be float32[2,3,2,2] for x float32[2,3,4,4], got float32[2,3,4,4]"))
    #expect(
      message(MaxPoolSelect(PoolingWindow(size: [2, 2])), x, TensorType([2, 3, 2, 2]))
        .contains("must be float32[2,3,4,4] as x is"))
    #expect(
      message(SumPoolGradient(PoolingWindow(size: [2, 2]), input: [6, 4]), TensorType([2, 3, 2, 2]))
        .contains("dy must be float32[2,3,3,2]"))
    #expect(
      message(SumPoolGradient(PoolingWindow(size: [2]), input: [-4]), TensorType([2, 3, 2]))
        .contains("negative size"))
    #expect(message(AdaptiveAveragePool(output: [0, 1]), x).contains("must have 1 to"))
    #expect(message(AdaptiveAveragePool(output: [1]), x).contains("and 1 spatial dimensions"))
  }
}
