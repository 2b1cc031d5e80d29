import PandoIR

extension GraphBuilder {
  /// Copies `body` into this graph and emits the chain rule through it, last node first.
  ///
  /// - Parameters:
  ///   - body: what is differentiated.
  ///   - arguments: what stands for each of its inputs here.
  ///   - cotangents: for each of its outputs, `nil` where the output does not count.
  ///   - wanted: the places of the inputs whose gradient is asked for. Nodes that none of them reaches are not
  ///     differentiated.
  /// - Returns: what stands for the outputs here, and the gradient of each wanted input; `nil` where it is zero.
  package mutating func reverse(
    _ body: Graph, arguments: [Value], cotangents: [Value?], wanted: [Int]
  ) throws(TypeError) -> (outputs: [Value], gradients: [Value?]) {
    let here = try inline(body, arguments: arguments)
    var accumulated = [Value?](repeating: nil, count: body.valueCount)

    var reached = [Bool](repeating: false, count: body.valueCount)
    for index in wanted where body.inputs[index].value.type.dtype.isFloatingPoint {
      reached[body.inputs[index].value.id] = true
    }
    for node in body.nodes where node.operands.contains(where: { reached[$0.id] }) {
      for result in node.results where result.type.dtype.isFloatingPoint { reached[result.id] = true }
    }

    for (output, cotangent) in zip(body.outputs, cotangents) {
      if let cotangent, reached[output.id] { try accumulate(cotangent, into: &accumulated[output.id]) }
    }
    for node in body.nodes.reversed() {
      guard node.results.contains(where: { accumulated[$0.id] != nil }),
        node.operands.contains(where: { reached[$0.id] })
      else { continue }
      site = node.site
      var incoming: [Value] = []
      for result in node.results {
        if let cotangent = accumulated[result.id] {
          incoming.append(cotangent)
        } else {
          incoming.append(try constant(0, result.type))
        }
      }
      let outgoing = try node.operation.pullback(
        incoming, operands: node.operands.map { here[$0.id]! }, results: node.results.map { here[$0.id]! },
        in: &self)
      for (operand, gradient) in zip(node.operands, outgoing) {
        guard let gradient, reached[operand.id] else { continue }
        guard gradient.type == operand.type else {
          throw TypeError(
            node.operation, "its gradient has type \(gradient.type), the operand \(operand.type)")
        }
        try accumulate(gradient, into: &accumulated[operand.id])
      }
    }
    return (body.outputs.map { here[$0.id]! }, wanted.map { accumulated[body.inputs[$0].value.id] })
  }

  private mutating func accumulate(_ value: Value, into sum: inout Value?) throws(TypeError) {
    if let old = sum { sum = try add(old, value) } else { sum = value }
  }
}
