import PandoIR
import PandoOperations

extension ArrangedConvolution: Absorbing {
  /// A bias, a tensor that is added, and a rectifier, as far as the library does such a convolution.
  package func absorption(at index: Int, in surroundings: Neighbourhood) -> Absorption? {
    guard product == .forward, epilogue == Epilogue(isInference: epilogue.isInference) else { return nil }
    let node = surroundings.graph.nodes[index]
    var (form, members, result) = (self, [index], node.results[0])
    var (bias, residual): (Value?, Value?)
    while let (step, other) = surroundings.addition(to: result) {
      if bias == nil, let numbers = surroundings.channelNumbers(other, in: y), numbers.type.dtype == .float32
      {
        bias = numbers
      } else if residual == nil, other.type == result.type {
        residual = other
      } else {
        break
      }
      members += step.members
      result = step.result
    }
    form.epilogue.hasBias = bias != nil
    form.epilogue.accumulates = residual != nil
    if let step = surroundings.rectifier(of: result) {
      form.epilogue.rectifies = true
      members += step.members
      result = step.result
    }
    guard members.count > 1, form.isPossible else { return nil }
    return Absorption(
      members: members, operands: node.operands + [bias, residual].compactMap { $0 }, results: [result]
    ) { [form] (values, builder) throws(TypeError) in try builder.emit(form, operands: values) }
  }
}

extension BatchNormInference: Absorbing {
  /// The convolution in front of it: what each channel is multiplied by goes into the weights, once for all where they
  /// stay the same, and what is added to it is left.
  package func absorption(at index: Int, in surroundings: Neighbourhood) -> Absorption? {
    let node = surroundings.graph.nodes[index]
    let y = node.operands[0]
    guard let producer = surroundings.producer(of: y), surroundings.onlyUser(of: y) == index,
      let convolution = surroundings.graph.nodes[producer].operation as? Convolution
    else { return nil }
    let (x, w) = (
      surroundings.graph.nodes[producer].operands[0], surroundings.graph.nodes[producer].operands[1]
    )
    let parameters = Array(node.operands.dropFirst())
    guard y.type.dtype == .float32, ([w] + parameters).allSatisfy(surroundings.isFrozen) else { return nil }
    let epsilon = self.epsilon
    return Absorption(
      members: [producer, index], operands: [x, w] + parameters, results: [node.results[0]]
    ) { (values, builder) throws(TypeError) in
      let (weight, bias, mean, variance) = (values[2], values[3], values[4], values[5])
      let wide = try builder.add(variance, builder.constant(epsilon, like: variance))
      let factor = try builder.multiply(weight, builder.unary(.reciprocalSquareRoot, wide))
      let shift = try builder.subtract(bias, builder.multiply(mean, factor))
      let scaled = try builder.multiply(
        values[1], builder.broadcast(factor, to: values[1].type.shape, dimensions: [0]))
      let product = try builder.emit(convolution, values[0], scaled)
      return [try builder.add(product, builder.broadcast(shift, to: y.type.shape, dimensions: [1]))]
    }
  }
}
