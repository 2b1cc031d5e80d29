import PandoIR
import PandoOperations
import PandoTransforms

extension Graph {
  /// Floating-point operations in products and convolutions alone, composites by their decomposition.
  var productFlops: Int {
    let primitive: Graph
    do { primitive = try Decompose(keeping: { _ in false }).apply(self) } catch {
      preconditionFailure("a graph that was compiled cannot be decomposed: \(error)")
    }
    return primitive.nodes.reduce(0) { total, node in
      switch node.operation {
      case is Contraction, is Convolution, is ConvolutionInputGradient, is ConvolutionWeightGradient:
        total + node.operation.cost(node.operands.map(\.type), node.results.map(\.type)).flops
      default: total
      }
    }
  }
}
