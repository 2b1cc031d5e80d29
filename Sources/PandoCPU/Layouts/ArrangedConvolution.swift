import COneDNN
import PandoEngine
import PandoIR
import PandoOperations

/// One of the three products of a convolution, of tensors in given layouts.
///
/// Operands are those of the product (x and w, dy and w, x and dy), then for the forward one, where it has them, a bias
/// [O] and a tensor like the result that is added to it.
package struct ArrangedConvolution: EngineOperation {
  package static let name = "arranged_convolution"
  package static let operandCount: Int? = nil

  let product: ConvolutionProduct
  let shape: ConvolutionShape
  let algorithm: ConvolutionAlgorithm
  /// How x (or dx) and y (or dy) lie.
  let x, y: TensorLayout
  /// The weights' packing; `nil` for plain ones.
  let packing: Packing?
  /// What else the forward product does.
  var epilogue = Epilogue()

  /// A packing's name and size, without the convolution that it is for.
  struct Packing: Hashable, Sendable, Codable {
    let key: String
    let byteCount: Int

    init(key: String, byteCount: Int) {
      self.key = key
      self.byteCount = byteCount
    }

    init(_ library: pdnn_packing) {
      let bytes = withUnsafeBytes(of: library.key) { $0.map { String($0, radix: 16) } }
      self.init(key: bytes.joined(separator: "."), byteCount: library.bytes)
    }
  }

  /// What is done to the forward product's result before it is written.
  struct Epilogue: Hashable, Sendable, Codable {
    /// Whether no gradient is taken, so that weights may be packed in a form that only a forward product reads.
    var isInference = false
    /// Whether the operands hold a bias.
    var hasBias = false
    /// Whether they hold a tensor to add.
    var accumulates = false
    /// Whether what is below 0 becomes 0.
    var rectifies = false
  }

  /// The product in the layouts that suit it best; `nil` where there is none for such a convolution.
  init?(
    _ product: ConvolutionProduct, _ shape: ConvolutionShape, _ algorithm: ConvolutionAlgorithm,
    isInference: Bool
  ) {
    self.product = product
    self.shape = shape
    self.algorithm = algorithm
    epilogue.isInference = isInference
    if algorithm == .streamed {
      guard product == .forward, let streamed = StreamedConvolution(shape) else { return nil }
      (x, y, packing) = (
        .blocked(StreamedConvolution.block), .blocked(StreamedConvolution.block), streamed.packing
      )
      return
    }
    if algorithm == .ownWinograd {
      guard let winograd = WinogradConvolution(shape) else { return nil }
      (x, y) = (.blocked(WinogradConvolution.block), .blocked(WinogradConvolution.block))
      packing = isInference ? winograd.packing : nil
      return
    }
    var library = shape.library(algorithm)
    library.is_inference = isInference ? 1 : 0
    var found = pdnn_packing()
    guard pdnn_convolution_prefer(product.library, &library, &found) == 0 else { return nil }
    x = TensorLayout(library.x)
    y = TensorLayout(library.y)
    packing = library.w.kind == PDNN_PACKED ? Packing(found) : nil
  }

  /// How w (or dw) lies.
  var w: TensorLayout {
    guard let packing else { return .plain }
    var plainest = self
    plainest.epilogue = Epilogue(isInference: epilogue.isInference)
    return .packed(PackedWeights(convolution: plainest, key: packing.key, byteCount: packing.byteCount))
  }

  /// The layouts of operands and result.
  var layouts: (operands: [TensorLayout], result: TensorLayout) {
    switch product {
    case .forward:
      var operands = [x, w]
      if epilogue.hasBias { operands.append(.plain) }
      if epilogue.accumulates { operands.append(y) }
      return (operands, y)
    case .inputGradient: return ([y, w], x)
    case .weightGradient: return ([x, y], w)
    }
  }

  /// The types of operands and result, were they plain.
  var plainTypes: (operands: [TensorType], result: TensorType) {
    switch product {
    case .forward:
      var operands = [shape.x, shape.w]
      if epilogue.hasBias { operands.append(TensorType([shape.w.shape[0]])) }
      if epilogue.accumulates { operands.append(shape.y) }
      return (operands, shape.y)
    case .inputGradient: return ([shape.y, shape.w], shape.x)
    case .weightGradient: return ([shape.x, shape.y], shape.w)
    }
  }

  package func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let (layouts, types) = (layouts, plainTypes)
    let expected = zip(layouts.operands, types.operands).map { $0.type($1) }
    guard operands == expected else { throw TypeError(self, "takes \(expected), got \(operands)") }
    return [layouts.result.type(types.result)]
  }

  package func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(
      flops: 2 * shape.y.count * shape.w.shape.dropFirst().reduce(1, *), operands: operands, results: results,
      kind: product == .weightGradient ? shape.window.weightCostKind : shape.window.costKind)
  }

  private var library: pdnn_convolution {
    var library = shape.library(algorithm)
    (library.x, library.w, library.y) = (x.library, w.library, y.library)
    library.is_inference = epilogue.isInference ? 1 : 0
    library.has_bias = epilogue.hasBias ? 1 : 0
    library.accumulates = epilogue.accumulates ? 1 : 0
    library.rectifies = epilogue.rectifies ? 1 : 0
    return library
  }

  /// Our own kernels for it, where one of them does it.
  private var streamed: StreamedConvolution? { algorithm == .streamed ? StreamedConvolution(shape) : nil }
  private var winograd: WinogradConvolution? { algorithm == .ownWinograd ? WinogradConvolution(shape) : nil }

  /// Whether the library does it, with weights packed as they are; our own kernels do.
  var isPossible: Bool {
    if streamed != nil || winograd != nil { return true }
    var library = library
    var found = pdnn_packing()
    guard pdnn_convolution_prefer(product.library, &library, &found) == 0 else { return false }
    return TensorLayout(library.x) == x && TensorLayout(library.y) == y
      && (library.w.kind == PDNN_PACKED ? Packing(found) : nil) == packing
  }

  /// A kernel that packs plain weights for this convolution, or unpacks them.
  func packingKernel(unpacks: Bool, threads: Int) throws -> Kernel {
    if let streamed { return streamed.packingKernel(unpacks: unpacks, threads: threads) }
    if let winograd, !unpacks { return winograd.packingKernel(threads: threads) }
    pdnn_set_threads(Int32(threads))
    var library = library
    let made =
      unpacks
      ? pdnn_convolution_unpack_create(product.library, &library)
      : pdnn_convolution_pack_create(product.library, &library)
    guard let made else {
      throw EngineError("weights of \(shape.w), packed: oneDNN's \(String(cString: pdnn_last_error()))")
    }
    return OneDNNPrimitive(made).kernel(operandCount: 1)
  }

  package func lower(_ operands: [TensorType], _ results: [TensorType], threads: Int) throws -> Kernel {
    if let streamed { return streamed.kernel(epilogue, threads: threads) }
    if let winograd {
      return winograd.kernel(product, epilogue, isPacked: packing != nil, threads: threads)
    }
    pdnn_set_threads(Int32(threads))
    var library = library
    guard let made = pdnn_convolution_create(product.library, &library) else {
      throw EngineError(
        "a convolution of \(shape.x) by \(shape.w): oneDNN's \(String(cString: pdnn_last_error()))")
    }
    let kernel = OneDNNPrimitive(made).kernel(operandCount: operands.count)
    guard epilogue.accumulates else { return kernel }
    // The library adds to what the result's memory holds.
    let (last, bytes) = (operands.count - 1, results[0].byteCount)
    return Kernel(workspaceBytes: kernel.workspaceBytes, inPlace: [[last]]) { pointers in
      if pointers[last] != pointers[last + 1] {
        pointers[last + 1]!.copyMemory(from: pointers[last]!, byteCount: bytes)
      }
      return kernel.run(pointers)
    }
  }
}

extension TensorLayout {
  fileprivate init(_ library: pdnn_layout) {
    self = library.kind == PDNN_BLOCKED ? .blocked(Int(library.block)) : .plain
  }
}
