import PandoIR
import PandoOperations

extension ConvolutionWindow {
  /// Calls `body` for each product that a convolution sums, with the linear indices of the element of y to which it
  /// belongs and of the elements of x and w that are multiplied.
  fileprivate func forEachProduct(
    x: TensorType, w: TensorType, y: TensorType, _ body: (_ y: Int, _ x: Int, _ w: Int) -> Void
  ) {
    let meetings = WindowMeetings(
      input: Array(x.shape.dropFirst(2)), window: Array(w.shape.dropFirst(2)),
      output: Array(y.shape.dropFirst(2)),
      strides: strides, low: low, dilation: dilation)
    let (samples, channels, outputs) = (x.shape[0], x.shape[1], w.shape[0])
    let (channelsPerGroup, outputsPerGroup) = (w.shape[1], outputs / groups)
    for sample in 0..<samples {
      for output in 0..<outputs {
        let group = output / outputsPerGroup
        for channel in 0..<channelsPerGroup {
          let xStart = (sample * channels + group * channelsPerGroup + channel) * meetings.inputCount
          let wStart = (output * channelsPerGroup + channel) * meetings.windowCount
          let yStart = (sample * outputs + output) * meetings.places.count
          for (place, met) in meetings.places.enumerated() {
            for pair in met { body(yStart + place, xStart + pair.input, wStart + pair.window) }
          }
        }
      }
    }
  }
}

extension Convolution: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let (x, w) = (operands[0], operands[1])
    var sums = [Double](repeating: 0, count: results[0].count)
    window.forEachProduct(x: x.type, w: w.type, y: results[0]) { sums[$0] += x.reals[$1] * w.reals[$2] }
    return [ReferenceTensor(results[0], reals: sums)]
  }
}

extension ConvolutionInputGradient: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let (dy, w) = (operands[0], operands[1])
    var sums = [Double](repeating: 0, count: results[0].count)
    window.forEachProduct(x: results[0], w: w.type, y: dy.type) { sums[$1] += dy.reals[$0] * w.reals[$2] }
    return [ReferenceTensor(results[0], reals: sums)]
  }
}

extension ConvolutionWeightGradient: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let (x, dy) = (operands[0], operands[1])
    var sums = [Double](repeating: 0, count: results[0].count)
    window.forEachProduct(x: x.type, w: results[0], y: dy.type) { sums[$2] += dy.reals[$0] * x.reals[$1] }
    return [ReferenceTensor(results[0], reals: sums)]
  }
}
