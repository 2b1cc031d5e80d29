import PandoIR
import PandoTransforms

/// The gradient of a scalar with respect to some of the tensors that it was computed from.
///
/// - Parameters:
///   - loss: a floating-point scalar.
///   - tensors: what to differentiate by: parameters, placeholders, or intermediate tensors.
/// - Returns: a tensor for each of `tensors`, of the same type; zeros where the loss does not depend on it. They are
///   tensors like others, and can be differentiated again.
/// - Throws: `TypeError` where an operation on the way has failed or has no gradient.
public func gradient(of loss: Tensor, at tensors: [Tensor]) throws -> [Tensor] {
  let trace = try Trace([loss], inputs: tensors)
  var places: [Int] = []
  for tensor in tensors {
    places.append(trace.leaves.firstIndex { $0.node === tensor.node && $0.index == tensor.index }!)
  }
  let differentiated = try Differentiate.gradient(of: trace.graph, loss: 0, inputs: places)
  let graph = try KeepSums().apply(differentiated)
  return Array(Tensor.replay(graph, trace).dropFirst())
}

/// The gradient of a scalar with respect to one tensor.
public func gradient(of loss: Tensor, at tensor: Tensor) throws -> Tensor {
  try gradient(of: loss, at: [tensor])[0]
}
