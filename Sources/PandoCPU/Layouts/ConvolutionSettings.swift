import COneDNN
import PandoEngine
import PandoIR

/// What convolutions of a program have in common.
package struct ConvolutionSettings: Sendable {
  /// Threads of the program.
  var threads: Int
  /// Whether Winograd's method is left alone.
  var isExact: Bool
  /// Where methods are decided by measuring; `nil` for the rule alone.
  var methods: MethodBook?
  /// Measures.
  private let trial = ConvolutionTrial()

  init(threads: Int, isExact: Bool, methods: MethodBook? = nil) {
    self.threads = threads
    self.isExact = isExact
    self.methods = methods
  }
}

extension ConvolutionSettings {
  /// How a product of a convolution is computed: as was measured, otherwise by rule.
  ///
  /// Weights that stay go by rule: then time is a matter of where they come from, and a trial would find them in a cache,
  /// where those of a network are not.
  func algorithm(_ product: ConvolutionProduct, _ shape: ConvolutionShape, isInference: Bool)
    -> ConvolutionAlgorithm
  {
    if isExact { return .direct }
    if isInference, product == .forward, StreamedConvolution.suits(shape) { return .streamed }
    guard let winograd = winograd(product, shape) else { return .direct }
    let rule = suitsWinograd(shape, isInference: isInference) ? winograd : .direct
    guard !isInference, let methods else { return rule }
    let window = shape.window
    let work =
      "convolution \(product.rawValue): \(shape.x) \(shape.w) \(shape.y), padding \(window.low) \(window.high)"
    let candidates = [ConvolutionAlgorithm.direct, winograd].map(\.rawValue)
    let method = methods.method(for: work, rule: rule.rawValue, among: candidates) { name in
      ConvolutionAlgorithm(rawValue: name).flatMap { trial.duration(product, shape, $0, threads: threads) }
    }
    return ConvolutionAlgorithm(rawValue: method) ?? rule
  }

  /// The rule, which goes by the shape alone.
  ///
  /// Winograd's method saves multiplications of 3×3 kernels. With few channels it loses to the direct way, and where
  /// its tiles of 4×4 results are few, the time goes into transforming weights, unless that was done once for all.
  private func suitsWinograd(_ shape: ConvolutionShape, isInference: Bool) -> Bool {
    let (x, w, y, tiles) = (shape.x, shape.w, shape.y, tiles(shape))
    let fillsTiles = 32 * tiles <= 3 * x.shape[0] * y.shape[2] * y.shape[3]
    return Swift.min(w.shape[0], w.shape[1]) >= 32 && (tiles >= 64 || isInference) && fillsTiles
  }

  /// The form of Winograd's method for a product, where there is one and channels enough that it may win: our own or the
  /// library's.
  private func winograd(_ product: ConvolutionProduct, _ shape: ConvolutionShape) -> ConvolutionAlgorithm? {
    let (w, window) = (shape.w, shape.window)
    guard shape.x.dtype == .float32, window.groups == 1, w.shape.dropFirst(2) == [3, 3],
      window.strides == [1, 1], window.dilation == [1, 1], Swift.min(w.shape[0], w.shape[1]) >= 16
    else { return nil }
    if tiles(shape) >= 64, InstructionSet.hasWideVectors, WinogradConvolution(shape) != nil {
      return .ownWinograd
    }
    // Not every product has such a form for every shape that it would suit, nor has every version of the library.
    var library = shape.library(.winograd)
    var packing = pdnn_packing()
    return pdnn_convolution_prefer(product.library, &library, &packing) == 0 ? .winograd : nil
  }

  /// Tiles of 4×4 results.
  private func tiles(_ shape: ConvolutionShape) -> Int {
    shape.x.shape[0] * ((shape.y.shape[2] + 3) / 4) * ((shape.y.shape[3] + 3) / 4)
  }
}
