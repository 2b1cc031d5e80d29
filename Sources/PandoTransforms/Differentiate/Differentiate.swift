import PandoIR
import PandoOperations

/// Reverse-mode differentiation, graph to graph.
///
/// Composites are differentiated by their own rule where they have one, otherwise through their decomposition. The
/// result is an ordinary graph, so it can be differentiated again.
public enum Differentiate {
  /// A graph that returns `graph`'s outputs, and after them the gradient of the scalar output `loss` with respect to
  /// each of the inputs `inputs`, zeros where it does not depend on them.
  ///
  /// - Throws: `TypeError` where the loss is not a floating-point scalar, an input is not floating point, or an
  ///   operation on the way cannot be differentiated.
  public static func gradient(of graph: Graph, loss: Int, inputs: [Int]) throws(TypeError) -> Graph {
    let lossType = graph.outputs[loss].type
    guard lossType.shape.isEmpty, lossType.dtype.isFloatingPoint else {
      throw TypeError(
        operation: "gradient",
        "needs a floating-point scalar, got \(lossType); take the mean or the sum first")
    }
    for index in inputs where !graph.inputs[index].value.type.dtype.isFloatingPoint {
      let input = graph.inputs[index]
      throw TypeError(operation: "gradient", "\(input.name) is \(input.value.type), which has no gradient")
    }
    var builder = GraphBuilder()
    var arguments: [Value] = []
    for input in graph.inputs { arguments.append(builder.input(input.name, input.value.type)) }
    let seed = try builder.constant(1, lossType)
    let cotangents = graph.outputs.indices.map { $0 == loss ? seed : nil }
    let (outputs, gradients) = try builder.reverse(
      graph, arguments: arguments, cotangents: cotangents, wanted: inputs)
    var results = outputs
    for (gradient, index) in zip(gradients, inputs) {
      if let gradient {
        results.append(gradient)
      } else {
        results.append(try builder.constant(0, like: arguments[index]))
      }
    }
    builder.setOutputs(results)
    return builder.graph
  }
}
