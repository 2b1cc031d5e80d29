import CPandoKernels
import PandoIR
import PandoOperations

/// A convolution of a type that oneDNN lacks (float64, float16), as a contraction in plain loops of its first operand,
/// padded, whose windows are reached by strides and so overlap.
struct PlainConvolution {
  /// One loop of the nest: how often it runs, and how far it moves on in each of the three tensors.
  private struct Loop {
    let count: Int
    let x, w, y: Int
  }

  /// The padded first operand: its type, and what lies before and between the elements.
  private let padded: TensorType
  private let source: TensorType
  private let low: [Int]
  private let interior: [Int]
  /// The element of the padded operand at which all loops begin.
  private let first: Int
  private let outer: [Loop]
  private let summed: [Loop]
  /// Which tensors are the operands and the result.
  private let roles: (first: KeyPath<Loop, Int>, second: KeyPath<Loop, Int>, result: KeyPath<Loop, Int>)

  init(_ shape: ConvolutionShape, _ product: ConvolutionProduct) {
    let (window, directions) = (shape.window, 0..<shape.window.spatial)
    let (inputs, outputs) = (shape.w.shape[1], shape.w.shape[0] / window.groups)
    func size(_ type: TensorType, _ direction: Int) -> Int { type.shape[direction + 2] }
    let reach = directions.map { (size(shape.w, $0) - 1) * window.dilation[$0] }

    var (x, y) = (shape.x, shape.y)
    if product == .inputGradient {
      // Zeros between the elements of dy undo the stride, and the kernel is walked backwards.
      source = y
      y.shape = y.shape.prefix(2) + directions.map { size(shape.x, $0) + reach[$0] }
      padded = y
      low = [0, 0] + directions.map { reach[$0] - window.low[$0] }
      interior = [0, 0] + window.strides.map { $0 - 1 }
    } else {
      source = x
      x.shape = x.shape.prefix(2) + directions.map { (size(y, $0) - 1) * window.strides[$0] + reach[$0] + 1 }
      padded = x
      low = [0, 0] + window.low
      interior = low.map { _ in 0 }
    }

    let (xStep, wStep, yStep) = (x.strides, shape.w.strides, y.strides)
    let samples = Loop(count: x.shape[0], x: xStep[0], w: 0, y: yStep[0])
    let groups = Loop(
      count: window.groups, x: inputs * xStep[1], w: outputs * wStep[0], y: outputs * yStep[1])
    let outputChannels = Loop(count: outputs, x: 0, w: wStep[0], y: yStep[1])
    let inputChannels = Loop(count: inputs, x: xStep[1], w: wStep[1], y: 0)
    let places: [Loop]
    let taps: [Loop]
    if product == .inputGradient {
      places = directions.map {
        Loop(count: size(shape.x, $0), x: xStep[$0 + 2], w: 0, y: yStep[$0 + 2])
      }
      taps = directions.map {
        Loop(count: size(shape.w, $0), x: 0, w: wStep[$0 + 2], y: -window.dilation[$0] * yStep[$0 + 2])
      }
      first = directions.reduce(0) { $0 + reach[$1] * yStep[$1 + 2] }
    } else {
      places = directions.map {
        Loop(count: size(shape.y, $0), x: window.strides[$0] * xStep[$0 + 2], w: 0, y: yStep[$0 + 2])
      }
      taps = directions.map {
        Loop(count: size(shape.w, $0), x: window.dilation[$0] * xStep[$0 + 2], w: wStep[$0 + 2], y: 0)
      }
      first = 0
    }
    switch product {
    case .forward:
      (outer, summed) = ([samples, groups, outputChannels] + places, [inputChannels] + taps)
      roles = (\.x, \.w, \.y)
    case .inputGradient:
      (outer, summed) = ([samples, groups, inputChannels] + places, [outputChannels] + taps)
      roles = (\.y, \.w, \.x)
    case .weightGradient:
      (outer, summed) = ([groups, outputChannels, inputChannels] + taps, [samples] + places)
      roles = (\.x, \.y, \.w)
    }
  }

  func kernel(threads: Int) -> Kernel {
    let dtype = source.dtype
    let (sourceShape, paddedShape) = (source.shape.kernel, padded.shape.kernel)
    let (low, interior, rank) = (self.low.kernel, self.interior.kernel, Int32(source.rank))
    func walk(_ loops: [Loop], _ role: KeyPath<Loop, Int>) -> [Int64] {
      loops.map { $0[keyPath: role] }.kernel
    }
    let (outerShape, summedShape) = (walk(outer, \.count), walk(summed, \.count))
    let outerSteps = [walk(outer, roles.first), walk(outer, roles.second), walk(outer, roles.result)]
    let summedSteps = [walk(summed, roles.first), walk(summed, roles.second)]
    let start = first * dtype.byteCount
    return Kernel(workspaceBytes: padded.byteCount) { pointers in
      var zero: UInt64 = 0
      let status = pk_pad(
        pointers[3], paddedShape, pointers[0], sourceShape, low, interior, rank, &zero, dtype.byteCount,
        Int32(threads))
      if status != PK_OK { return Int32(status.rawValue) }
      return Int32(
        pk_contract(
          pointers[2], pointers[3]! + start, pointers[1], dtype.kernel, Int32(outerShape.count), outerShape,
          outerSteps[0], outerSteps[1], outerSteps[2], Int32(summedShape.count), summedShape, summedSteps[0],
          summedSteps[1], Int32(threads)
        ).rawValue)
    }
  }
}
