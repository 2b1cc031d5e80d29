import PandoIR
import PandoOperations

extension PoolingWindow {
  /// Calls `body` for each window of each sample and channel, with the linear index of its result and those of the
  /// elements it meets, in order.
  fileprivate func forEachWindow(x: TensorType, y: TensorType, _ body: (_ y: Int, _ x: [Int]) -> Void) {
    let meetings = WindowMeetings(
      input: Array(x.shape.dropFirst(2)), window: size, output: Array(y.shape.dropFirst(2)), strides: strides,
      low: low, dilation: dilation)
    for plane in 0..<x.shape[0] * x.shape[1] {
      for (place, met) in meetings.places.enumerated() {
        body(plane * meetings.places.count + place, met.map { plane * meetings.inputCount + $0.input })
      }
    }
  }

  /// The place of the first of the largest among some elements; of the first NaN where there is one.
  fileprivate static func largest(_ places: [Int], _ x: ReferenceTensor) -> Int? {
    if let nan = places.first(where: { x.reals[$0].isNaN }) { return nan }
    return places.reduce(nil) { best, place in
      guard let best else { return place }
      return x.reals[place] > x.reals[best] ? place : best
    }
  }
}

extension MaxPool: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let x = operands[0]
    var largest = [Double](repeating: -.infinity, count: results[0].count)
    window.forEachWindow(x: x.type, y: results[0]) { y, met in
      if let place = PoolingWindow.largest(met, x) { largest[y] = x.reals[place] }
    }
    return [ReferenceTensor(results[0], reals: largest)]
  }
}

extension MaxPoolGradient: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let (x, dy) = (operands[0], operands[1])
    var sums = [Double](repeating: 0, count: x.type.count)
    window.forEachWindow(x: x.type, y: dy.type) { y, met in
      if let place = PoolingWindow.largest(met, x) { sums[place] += dy.reals[y] }
    }
    return [ReferenceTensor(results[0], reals: sums)]
  }
}

extension MaxPoolSelect: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let (x, t) = (operands[0], operands[1])
    var taken = [Double](repeating: 0, count: results[0].count)
    window.forEachWindow(x: x.type, y: results[0]) { y, met in
      if let place = PoolingWindow.largest(met, x) { taken[y] = t.reals[place] }
    }
    return [ReferenceTensor(results[0], reals: taken)]
  }
}

extension SumPool: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let x = operands[0]
    var sums = [Double](repeating: 0, count: results[0].count)
    window.forEachWindow(x: x.type, y: results[0]) { y, met in sums[y] = met.reduce(0) { $0 + x.reals[$1] } }
    return [ReferenceTensor(results[0], reals: sums)]
  }
}

extension SumPoolGradient: ReferenceSemantics {
  public func evaluate(_ operands: [ReferenceTensor], _ results: [TensorType]) -> [ReferenceTensor] {
    let dy = operands[0]
    var sums = [Double](repeating: 0, count: results[0].count)
    window.forEachWindow(x: results[0], y: dy.type) { y, met in for x in met { sums[x] += dy.reals[y] } }
    return [ReferenceTensor(results[0], reals: sums)]
  }
}
