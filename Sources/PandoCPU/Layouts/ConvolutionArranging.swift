import PandoIR
import PandoOperations

extension Convolution: LayoutArranging {
  package func arrangement(_ node: Node, _ surroundings: Surroundings) -> Arrangement? {
    ConvolutionShape(window, x: node.operands[0].type, w: node.operands[1].type, y: node.results[0].type)
      .arrangement(.forward, surroundings, isInference: surroundings.isFrozen[1])
  }
}

extension ConvolutionInputGradient: LayoutArranging {
  package func arrangement(_ node: Node, _ surroundings: Surroundings) -> Arrangement? {
    ConvolutionShape(window, x: node.results[0].type, w: node.operands[1].type, y: node.operands[0].type)
      .arrangement(.inputGradient, surroundings)
  }
}

extension ConvolutionWeightGradient: LayoutArranging {
  package func arrangement(_ node: Node, _ surroundings: Surroundings) -> Arrangement? {
    ConvolutionShape(window, x: node.operands[0].type, w: node.results[0].type, y: node.operands[1].type)
      .arrangement(.weightGradient, surroundings)
  }
}

extension ConvolutionShape {
  fileprivate func arrangement(
    _ product: ConvolutionProduct, _ surroundings: Surroundings, isInference: Bool = false
  ) -> Arrangement? {
    guard x.dtype == .float32 || (x.dtype == .bfloat16 && InstructionSet.multipliesBFloat16),
      x.count > 0, w.count > 0, y.count > 0
    else { return nil }
    let algorithm = surroundings.settings.algorithm(product, self, isInference: isInference)
    guard let arranged = ArrangedConvolution(product, self, algorithm, isInference: isInference) else {
      return nil
    }
    let layouts = arranged.layouts
    return Arrangement(arranged, operands: layouts.operands, results: [layouts.result])
  }
}
