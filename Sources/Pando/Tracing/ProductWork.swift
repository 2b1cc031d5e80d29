import PandoIR
import PandoOperations
import PandoTransforms

extension Graph {
  /// Floating-point operations in products and convolutions alone, composites by their decomposition: what counters of
  /// other frameworks count too, so that two programs can be seen to do the same work.
  public func productFlops() throws -> Int {
    try Decompose(keeping: { _ in false }).apply(self).nodes.reduce(0) { total, node in
      switch node.operation {
      case is Contraction, is Convolution, is ConvolutionInputGradient, is ConvolutionWeightGradient:
        total + node.operation.cost(node.operands.map(\.type), node.results.map(\.type)).flops
      default: total
      }
    }
  }
}
