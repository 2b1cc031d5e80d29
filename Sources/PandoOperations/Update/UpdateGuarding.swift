import PandoIR

/// An optimizer's update that can take two more operands at its end, so that clipping and the guard against numbers that
/// are not finite cost no sweep of their own.
///
/// The first is a floating-point scalar by which the gradient is multiplied; the second, a bool scalar, says whether
/// the step is taken: where it is false every result is its old value.
public protocol UpdateGuarding: CompositeOperation {
  /// Whether there are the two operands.
  var isGuarded: Bool { get }
}

extension UpdateGuarding {
  /// As many operands as there are roles, and the guard's.
  func checkCount(_ operands: [TensorType], _ roles: [String]) throws(TypeError) {
    let names = roles + (isGuarded ? ["the gradient's scale", "whether the step is taken"] : [])
    guard operands.count == names.count else {
      let expected = names.dropLast().joined(separator: ", ") + " and " + names[names.count - 1]
      throw TypeError(self, "takes \(expected), got \(operands.count) operands")
    }
  }

  /// The types of the guard's operands.
  func checkGuard(_ operands: [TensorType]) throws(TypeError) {
    guard isGuarded else { return }
    let (scale, accepted) = (operands[operands.count - 2], operands[operands.count - 1])
    guard scale.shape.isEmpty, scale.dtype.isFloatingPoint else {
      throw TypeError(self, "the gradient's scale must be a floating-point scalar, got \(scale)")
    }
    guard accepted == .scalar(.bool) else {
      throw TypeError(self, "whether the step is taken must be a bool scalar, got \(accepted)")
    }
  }

  /// The gradient times its scale, where there is one.
  func scaled(_ gradient: Value, by operands: [Value], in graph: inout GraphBuilder) throws(TypeError)
    -> Value
  {
    guard isGuarded else { return gradient }
    let scale = try graph.convert(operands[operands.count - 2], to: gradient.type.dtype)
    return try graph.multiply(gradient, graph.broadcast(scale, to: gradient.type.shape, dimensions: []))
  }

  /// The new values where the step is taken, otherwise the old ones.
  func taken(
    _ new: [Value], or old: [Value], _ operands: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value] {
    guard isGuarded else { return new }
    let shape = operands[0].type.shape
    let accepted = try graph.broadcast(operands[operands.count - 1], to: shape, dimensions: [])
    var results: [Value] = []
    for (new, old) in zip(new, old) { results.append(try graph.select(accepted, new, old)) }
    return results
  }
}
