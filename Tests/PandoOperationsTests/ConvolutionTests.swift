import PandoEngine
import PandoIR
import PandoOperations
import PandoTestSupport
import Testing

/// Values worked out by hand.
@Suite struct ConvolutionTests {
  @Test func theKernelIsNotTurnedRound() throws {
    let convolution = Convolution(ConvolutionWindow(spatial: 1))
    #expect(
      try evaluated(convolution, ([1, 1, 4], [1, 2, 4, 8]), ([1, 1, 2], [1, 10])) == [[21, 42, 84]])
  }

  @Test func paddingIsZeroAndStridesLeaveElementsOver() throws {
    let window = ConvolutionWindow(strides: [2], low: [1], high: [0], dilation: [1])
    let y = try evaluated(Convolution(window), ([1, 1, 4], [1, 2, 4, 8]), ([1, 1, 2], [1, 10]))
    #expect(y == [[10, 42]])
    let spread = ConvolutionWindow(strides: [1], low: [0], high: [2], dilation: [3])
    let z = try evaluated(Convolution(spread), ([1, 1, 4], [1, 2, 4, 8]), ([1, 1, 2], [1, 10]))
    #expect(z == [[81, 2, 4]])
  }

  @Test func channelsOfAGroupAreSummedAndGroupsKeptApart() throws {
    let x: ([Int], [Double]) = ([1, 4, 1], [1, 2, 3, 4])
    let all = Convolution(ConvolutionWindow(spatial: 1))
    #expect(try evaluated(all, x, ([1, 4, 1], [1, 10, 100, 1000])) == [[4321]])
    let halves = Convolution(ConvolutionWindow(spatial: 1, groups: 2))
    #expect(try evaluated(halves, x, ([2, 2, 1], [1, 10, 100, 1000])) == [[21, 4300]])
  }

  /// A stride of 2 puts zeros between the elements; one row more is asked for than they reach.
  @Test func theInputsGradientIsATransposedConvolution() throws {
    let gradient = ConvolutionInputGradient(ConvolutionWindow(spatial: 1, stride: 2), input: [6])
    #expect(
      try evaluated(gradient, ([1, 1, 2], [1, 2]), ([1, 1, 3], [1, 10, 100])) == [[1, 10, 102, 20, 200, 0]])
  }

  @Test func theWeightsGradientMeetsEveryPlace() throws {
    let gradient = ConvolutionWeightGradient(ConvolutionWindow(spatial: 1), kernel: [2])
    #expect(try evaluated(gradient, ([1, 1, 3], [1, 2, 3]), ([1, 1, 2], [1, 10])) == [[21, 32]])
  }

  @Test func operationsAreCounted() throws {
    let window = ConvolutionWindow(spatial: 2, stride: 2, padding: 1, groups: 2)
    let (x, w, y) = (TensorType([3, 4, 5, 5]), TensorType([6, 2, 3, 3]), TensorType([3, 6, 3, 3]))
    let flops = 2 * (3 * 6 * 3 * 3) * (2 * 3 * 3)
    #expect(Convolution(window).cost([x, w], [y]).flops == flops)
    #expect(ConvolutionInputGradient(window, input: [5, 5]).cost([y, w], [x]).flops == flops)
    #expect(ConvolutionWeightGradient(window, kernel: [3, 3]).cost([x, y], [w]).flops == flops)
    #expect(Convolution(window).cost([x, w], [y]).bytes == 4 * (300 + 108 + 162))
  }

  @Test func errorsSayWhatToDo() {
    let (x, w) = (TensorType([2, 3, 5, 5]), TensorType([4, 3, 3, 3]))
    let plain = ConvolutionWindow(spatial: 2)
    #expect(
      message(Convolution(plain), x, TensorType([4, 2, 3, 3]))
        .contains(
          "w float32[4,2,3,3] in 1 groups takes 2 channels for each group, got 3 in all of float32[2,3,5,5]"))
    #expect(
      message(Convolution(ConvolutionWindow(spatial: 2, groups: 3)), x, TensorType([4, 1, 3, 3]))
        .contains("the 4 output channels of w float32[4,1,3,3] must be a multiple of 3 groups"))
    #expect(message(Convolution(plain), x, w.with(dtype: .float64)).contains("convert one"))
    #expect(
      message(Convolution(plain), x.with(dtype: .int32), w.with(dtype: .int32)).contains(
        "must be floating point"))
    #expect(message(Convolution(plain), TensorType([3, 5, 5]), w).contains("x must have 4 dimensions"))
    #expect(message(Convolution(plain), x, TensorType([4, 3, 3])).contains("w must have 4 dimensions"))
    #expect(
      message(Convolution(plain), x, TensorType([4, 3, 6, 3])).contains(
        "a kernel of [6, 3] with dilation [1, 1] does "
          + "not fit into [5, 5]"))
    #expect(message(Convolution(plain), x, TensorType([4, 3, 0, 3])).contains("at least one element"))
    #expect(
      message(Convolution(ConvolutionWindow(spatial: 4)), x, w).contains("one to three spatial dimensions"))
    #expect(
      message(Convolution(ConvolutionWindow(spatial: 2, stride: 0)), x, w).contains("must be at least 1"))
    #expect(message(Convolution(ConvolutionWindow(spatial: 2, padding: -1)), x, w).contains("at least 0"))
    #expect(message(Convolution(ConvolutionWindow(spatial: 2, groups: 0)), x, w).contains("at least 1 group"))
    #expect(
      message(ConvolutionInputGradient(plain, input: [6, 5]), TensorType([2, 4, 3, 3]), w)
        .contains(
          "dy must be float32[2,4,4,3] for x float32[2,3,6,5] and w float32[4,3,3,3], got float32[2,4,3,3]"))
    #expect(
      message(ConvolutionInputGradient(plain, input: [5]), TensorType([2, 4, 3, 3]), w)
        .contains("one size for each of 2"))
    #expect(
      message(ConvolutionWeightGradient(plain, kernel: [3, 3]), x, TensorType([2, 4, 2, 2]))
        .contains("dy must be float32[2,4,3,3]"))
    #expect(
      message(ConvolutionWeightGradient(plain, kernel: [0, 3]), x, TensorType([2, 4, 3, 3]))
        .contains("kernel [0, 3]"))
  }

  /// Sizes from a file that overflow are refused, not computed.
  @Test func hugeAttributesAreRefused() {
    let (x, w) = (TensorType([1, 1, 5]), TensorType([1, 1, 3]))
    #expect(
      message(Convolution(ConvolutionWindow(spatial: 1, dilation: .max)), x, w).contains("does not fit"))
    #expect(message(Convolution(ConvolutionWindow(spatial: 1, padding: .max)), x, w).contains("does not fit"))
    #expect(
      message(Convolution(ConvolutionWindow(spatial: 1, groups: .max)), x, TensorType([1, 2, 3]))
        .contains("takes 2 channels"))
    #expect(
      message(
        ConvolutionInputGradient(ConvolutionWindow(spatial: 1, groups: .max), input: [5]), x,
        TensorType([1, 2, 3])
      ).contains("too large"))
    #expect(
      message(ConvolutionWeightGradient(ConvolutionWindow(spatial: 1), kernel: [.max]), x, x).contains(
        "too large"))
  }
}
