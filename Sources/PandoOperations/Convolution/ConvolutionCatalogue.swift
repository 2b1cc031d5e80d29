import PandoIR

extension Catalogue {
  static let convolution: [any PandoIR.Operation.Type] = [
    Convolution.self, ConvolutionInputGradient.self, ConvolutionWeightGradient.self,
  ]
}
