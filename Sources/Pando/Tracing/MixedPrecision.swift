import PandoIR
import PandoTransforms

/// The same tensors, computed in mixed precision: products, convolutions and attention take 16-bit operands and sum in
/// float32, what lies between them is kept in 16 bits, and losses, statistics, exponentials and large sums stay in
/// float32.
///
/// What is returned has the types of `outputs`, and the inputs keep theirs; differentiate it, and gradients have the
/// inputs' types too.
/// - Parameters:
///   - outputs: what is wanted.
///   - inputs: tensors at which the computation begins; what lies behind them stays as it is.
///   - low: the 16-bit type.
/// - Throws: the `TypeError` of the first failed tensor on the way.
public func mixedPrecision(
  _ outputs: [Tensor], inputs: [Tensor], low: DType = .bfloat16
) throws -> [Tensor] {
  let trace = try Trace(outputs, inputs: inputs)
  let graph = try trace.graph.applying([MixedPrecision(low), KeepSums()])
  return Tensor.replay(graph, trace)
}
