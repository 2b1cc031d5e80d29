import COneDNN
import CPandoKernels
import PandoEngine
import PandoIR
import PandoOperations

/// A product of a convolution, by Winograd's method where that is faster and the program need not be exact.
protocol ConvolutionLowering: ExactLowering {
  func kernel(_ operands: [TensorType], _ results: [TensorType], threads: Int, exact: Bool) throws -> Kernel
}

extension ConvolutionLowering {
  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    try kernel(operands, results, threads: threads, exact: false)
  }

  package func lowerExactly(
    _ operands: [TensorType], _ results: [TensorType], threads: Int
  ) throws -> Kernel { try kernel(operands, results, threads: threads, exact: true) }
}

extension Convolution: ConvolutionLowering {
  func kernel(
    _ operands: [TensorType], _ results: [TensorType], threads: Int, exact: Bool
  ) throws -> Kernel {
    let shape = ConvolutionShape(window, x: operands[0], w: operands[1], y: results[0])
    return try shape.kernel(.forward, operands, results[0], threads: threads, exact: exact)
  }
}

extension ConvolutionInputGradient: ConvolutionLowering {
  func kernel(
    _ operands: [TensorType], _ results: [TensorType], threads: Int, exact: Bool
  ) throws -> Kernel {
    let shape = ConvolutionShape(window, x: results[0], w: operands[1], y: operands[0])
    return try shape.kernel(.inputGradient, operands, results[0], threads: threads, exact: exact)
  }
}

extension ConvolutionWeightGradient: ConvolutionLowering {
  func kernel(
    _ operands: [TensorType], _ results: [TensorType], threads: Int, exact: Bool
  ) throws -> Kernel {
    let shape = ConvolutionShape(window, x: operands[0], w: results[0], y: operands[1])
    return try shape.kernel(.weightGradient, operands, results[0], threads: threads, exact: exact)
  }
}

/// Which of the three products of a convolution is made.
enum ConvolutionProduct: String, Hashable, Sendable, Codable {
  /// x, w -> y
  case forward
  /// dy, w -> dx
  case inputGradient
  /// x, dy -> dw
  case weightGradient
}

/// How a convolution is computed.
enum ConvolutionAlgorithm: String, Hashable, Sendable, Codable {
  /// Product by product.
  case direct
  /// By Winograd's method, which trades accuracy for fewer multiplications (Lavin and Gray, 2016), as the library does it.
  case winograd
  /// Product by product, by a kernel of our own that reads each weight once.
  case streamed
  /// By Winograd's method in kernels of our own.
  case ownWinograd
}

/// The sizes of a convolution.
struct ConvolutionShape: Hashable, Sendable, Codable {
  let window: ConvolutionWindow
  let x: TensorType
  let w: TensorType
  let y: TensorType

  init(_ window: ConvolutionWindow, x: TensorType, w: TensorType, y: TensorType) {
    self.window = window
    self.x = x
    self.w = w
    self.y = y
  }

  /// A kernel that makes one of the three products.
  func kernel(
    _ product: ConvolutionProduct, _ operands: [TensorType], _ result: TensorType, threads: Int, exact: Bool
  ) throws -> Kernel {
    if result.count == 0 { return Kernel(always: { _ in }) }
    if operands.contains(where: { $0.count == 0 }) {
      let bytes = result.byteCount
      return Kernel(always: { $0[2]!.initializeMemory(as: UInt8.self, repeating: 0, count: bytes) })
    }
    let isLibrarys = x.dtype == .float32 || (x.dtype == .bfloat16 && InstructionSet.multipliesBFloat16)
    if isLibrarys { return try libraryKernel(product, threads: threads, exact: exact) }
    if x.dtype != .bfloat16 && x.dtype == w.dtype {
      return PlainConvolution(self, product).kernel(threads: threads)
    }
    // What the library cannot multiply, or sums of float16 that are handed out unrounded.
    func wide(_ type: TensorType) -> TensorType { type.with(dtype: .float32) }
    let kernel = try ConvolutionShape(window, x: wide(x), w: wide(w), y: wide(y)).kernel(
      product, operands.map(wide), wide(result), threads: threads, exact: exact)
    return .widened(kernel, operands, [result], threads: threads)
  }

  /// The library's product of tensors that it likes best, between copies from and to plain ones.
  private func libraryKernel(_ product: ConvolutionProduct, threads: Int, exact: Bool) throws -> Kernel {
    pdnn_set_threads(Int32(threads))
    let settings = ConvolutionSettings(threads: threads, isExact: exact)
    let algorithm = settings.algorithm(product, self, isInference: false)
    guard let arranged = ArrangedConvolution(product, self, algorithm, isInference: false) else {
      throw EngineError("a convolution of \(x) by \(w): oneDNN's \(String(cString: pdnn_last_error()))")
    }
    let (layouts, types) = (arranged.layouts, arranged.plainTypes)
    var steps: [(Kernel, [Kernel.Place])] = []
    var temporaries: [Int] = []
    var places: [Kernel.Place] = []
    for (index, (layout, type)) in zip(layouts.operands, types.operands).enumerated() {
      if layout == .plain {
        places.append(.operand(index))
        continue
      }
      let copy = Rearrange(type, from: .plain, to: layout)
      places.append(.workspace(temporaries.count))
      steps.append(
        (try copy.lower([type], [layout.type(type)], threads: threads), [.operand(index), places[index]]))
      temporaries.append(layout.type(type).byteCount)
    }
    let operands = zip(layouts.operands, types.operands).map { $0.type($1) }
    let result = layouts.result.type(types.result)
    let kernel = try arranged.lower(operands, [result], threads: threads)
    if layouts.result == .plain {
      steps.append((kernel, places + [.result(0)]))
    } else {
      let place = Kernel.Place.workspace(temporaries.count)
      temporaries.append(result.byteCount)
      let copy = Rearrange(types.result, from: layouts.result, to: .plain)
      steps.append((kernel, places + [place]))
      steps.append((try copy.lower([result], [types.result], threads: threads), [place, .result(0)]))
    }
    return Kernel.sequence(steps, operandCount: 2, resultCount: 1, temporaries: temporaries)
  }

  /// The convolution as the library takes it, of plain tensors.
  func library(_ algorithm: ConvolutionAlgorithm) -> pdnn_convolution {
    func three(_ numbers: some Collection<Int>) -> (Int64, Int64, Int64) {
      let filled = numbers.map(Int64.init) + [1, 1, 1]
      return (filled[0], filled[1], filled[2])
    }
    var shape = pdnn_convolution()
    shape.spatial = Int32(window.spatial)
    shape.batch = Int64(x.shape[0])
    shape.in_channels = Int64(x.shape[1])
    shape.out_channels = Int64(w.shape[0])
    shape.groups = Int64(window.groups)
    shape.input = three(x.shape.dropFirst(2))
    shape.output = three(y.shape.dropFirst(2))
    shape.kernel = three(w.shape.dropFirst(2))
    shape.stride = three(window.strides)
    shape.dilation = three(window.dilation)
    shape.low = three(window.low)
    shape.high = three(window.high)
    shape.type = x.dtype.library
    shape.weight_type = w.dtype.library
    shape.algorithm = algorithm == .winograd ? PDNN_WINOGRAD : PDNN_DIRECT
    return shape
  }
}

extension ConvolutionProduct {
  /// The library's name.
  var library: pdnn_convolution_kind {
    switch self {
    case .forward: PDNN_CONVOLUTION_FORWARD
    case .inputGradient: PDNN_CONVOLUTION_BACKWARD_DATA
    case .weightGradient: PDNN_CONVOLUTION_BACKWARD_WEIGHTS
    }
  }
}
