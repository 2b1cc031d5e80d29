import COneDNN
import PandoIR

/// What convolutions of a program have in common.
package struct ConvolutionSettings: Hashable, Sendable {
  /// Threads of the program.
  var threads: Int
  /// Whether Winograd's method is left alone.
  var isExact: Bool
}

extension ConvolutionSettings {
  /// How a product of a convolution is computed.
  ///
  /// Winograd's method saves multiplications of 3×3 kernels. With few channels it loses to the direct way, and where
  /// its tiles of 4×4 results are few, the time goes into transforming weights, unless that was done once for all. With
  /// hardly any places, it goes into reading them.
  func algorithm(_ product: ConvolutionProduct, _ shape: ConvolutionShape, isInference: Bool)
    -> ConvolutionAlgorithm
  {
    if !isExact, isInference, product == .forward, StreamedConvolution.suits(shape) { return .streamed }
    let (x, w, y, window) = (shape.x, shape.w, shape.y, shape.window)
    guard !isExact, x.dtype == .float32, window.groups == 1, w.shape.dropFirst(2) == [3, 3],
      window.strides == [1, 1], window.dilation == [1, 1], Swift.min(w.shape[0], w.shape[1]) >= 32
    else { return .direct }
    let tiles = x.shape[0] * ((y.shape[2] + 3) / 4) * ((y.shape[3] + 3) / 4)
    guard tiles >= 64 || isInference, 32 * tiles <= 3 * x.shape[0] * y.shape[2] * y.shape[3] else {
      return .direct
    }
    if tiles >= 64, InstructionSet.has512BitVectors, WinogradConvolution(shape) != nil { return .ownWinograd }
    // Not every product has such a form for every shape that it would suit, nor has every version of the library.
    var library = shape.library(.winograd)
    var packing = pdnn_packing()
    return pdnn_convolution_prefer(product.library, &library, &packing) == 0 ? .winograd : .direct
  }
}
