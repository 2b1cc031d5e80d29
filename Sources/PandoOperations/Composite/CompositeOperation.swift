import PandoIR

/// An operation that says how it is made of others.
///
/// The decomposition gives it its types, its gradient and a fallback on every engine; an engine may do the whole at
/// once where that pays. A composite that a fused gradient serves better writes `pullback` itself.
public protocol CompositeOperation: Operation {
  /// Emits the operations that this one stands for.
  ///
  /// - Returns: the results, of the types that `resultTypes` gives.
  func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value]
}

extension CompositeOperation {
  /// The decomposition as a graph of its own, with inputs of the given types.
  package func decomposition(_ operands: [TensorType]) throws(TypeError) -> Graph {
    var builder = GraphBuilder()
    var inputs: [Value] = []
    for (index, type) in operands.enumerated() { inputs.append(builder.input("\(index)", type)) }
    let outputs = try decompose(inputs, in: &builder)
    builder.setOutputs(outputs)
    return builder.graph
  }

  /// The types that the decomposition gives.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    try decomposition(operands).outputs.map(\.type)
  }

  /// The decomposition, made once more, and the chain rule through it.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let body = try decomposition(operands.map(\.type))
    return try graph.reverse(
      body, arguments: operands, cotangents: cotangents.map { Optional($0) },
      wanted: Array(operands.indices)
    ).gradients
  }

  /// The sum over the decomposition; memory traffic is the operands and results only, as for a fused engine.
  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    let flops = (try? decomposition(operands))?.cost.flops ?? 0
    return Cost(flops: flops, operands: operands, results: results)
  }
}
