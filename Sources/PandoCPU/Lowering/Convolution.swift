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
enum ConvolutionProduct {
  /// x, w -> y
  case forward
  /// dy, w -> dx
  case inputGradient
  /// x, dy -> dw
  case weightGradient
}

/// The sizes of a convolution.
struct ConvolutionShape {
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

  private func libraryKernel(_ product: ConvolutionProduct, threads: Int, exact: Bool) throws -> Kernel {
    pdnn_set_threads(Int32(threads))
    var made: OpaquePointer?
    // Not every product has a Winograd form for every shape that it would suit.
    if isFasterByWinograd && !exact { made = create(product, PDNN_WINOGRAD) }
    made = made ?? create(product, PDNN_DIRECT)
    guard let made else {
      throw EngineError("a convolution of \(x) by \(w): oneDNN's \(String(cString: pdnn_last_error()))")
    }
    let primitive = OneDNNPrimitive(made)
    return Kernel(workspaceBytes: primitive.scratchBytes) {
      primitive.run($0[0]!, $0[1]!, into: $0[2]!, scratch: $0[3])
    }
  }

  /// Winograd's method saves multiplications of 3×3 kernels. Measured with oneDNN 2.6 and AVX-512: with 16 channels on
  /// either side it loses, from 32 on it wins by half or more, as long as its tiles of 4×4 results are many enough to pay
  /// for the transformed weights and lie mostly inside the result.
  private var isFasterByWinograd: Bool {
    guard x.dtype == .float32, window.groups == 1, w.shape.dropFirst(2) == [3, 3], window.strides == [1, 1],
      window.dilation == [1, 1], Swift.min(w.shape[0], w.shape[1]) >= 32
    else { return false }
    let tiles = x.shape[0] * ((y.shape[2] + 3) / 4) * ((y.shape[3] + 3) / 4)
    return tiles >= 64 && 32 * tiles <= 3 * x.shape[0] * y.shape[2] * y.shape[3]
  }

  private func create(_ product: ConvolutionProduct, _ algorithm: pdnn_algorithm) -> OpaquePointer? {
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
    shape.type = x.dtype == .bfloat16 ? PDNN_BF16 : PDNN_F32
    shape.weight_type = w.dtype == .bfloat16 ? PDNN_BF16 : PDNN_F32
    shape.algorithm = algorithm
    let kind =
      switch product {
      case .forward: PDNN_CONVOLUTION_FORWARD
      case .inputGradient: PDNN_CONVOLUTION_BACKWARD_DATA
      case .weightGradient: PDNN_CONVOLUTION_BACKWARD_WEIGHTS
      }
    return pdnn_convolution_create(kind, &shape)
  }
}
