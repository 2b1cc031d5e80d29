import PandoIR
import PandoOperations

extension BlockedNorm: Absorbing {
  /// A residual that is added, and a rectifier.
  package func absorption(at index: Int, in surroundings: Neighbourhood) -> Absorption? {
    guard !rectifies else { return nil }
    let node = surroundings.graph.nodes[index]
    var (form, members, operands, y) = (self, [index], node.operands, node.results[0])
    if !hasResidual, let (step, other) = surroundings.addition(to: y), other.type == y.type {
      form.hasResidual = true
      members += step.members
      operands.append(other)
      y = step.result
    }
    if let step = surroundings.rectifier(of: y) {
      form.rectifies = true
      members += step.members
      y = step.result
    }
    guard members.count > 1 else { return nil }
    return Absorption(
      members: members, operands: operands, results: [y, node.results[1], node.results[2]]
    ) { [form] (values, builder) throws(TypeError) in try builder.emit(form, operands: values) }
  }
}

extension BlockedNormGradient: Absorbing {
  /// The selection of what passed the rectifier behind the norm.
  package func absorption(at index: Int, in surroundings: Neighbourhood) -> Absorption? {
    let node = surroundings.graph.nodes[index]
    let dy = node.operands[4]
    guard mask == .none, let selection = surroundings.producer(of: dy) else { return nil }
    let select = surroundings.graph.nodes[selection]
    guard select.operation is Select, surroundings.isZero(select.operands[1]),
      let test = surroundings.maker(of: select.operands[0]),
      test.operation as? Compare == Compare(.lessOrEqual), surroundings.isZero(test.operands[1]),
      test.operands[0].type == dy.type
    else { return nil }
    let rectified = test.operands[0]
    var form = self
    var operands = Array(node.operands.dropLast()) + [select.operands[2]]
    if let norm = surroundings.maker(of: rectified), let operation = norm.operation as? BlockedNorm,
      operation.rectifies, !operation.hasResidual, norm.results[0] == rectified,
      Array(norm.operands.prefix(2)) == Array(node.operands.prefix(2)),
      Array(norm.results.suffix(2)) == Array(node.operands[2...3])
    {
      form.mask = .recomputed
      operands.append(norm.operands[2])
    } else {
      form.mask = .result
      operands.append(rectified)
    }
    form.keepsMasked = surroundings.onlyUser(of: dy) == nil
    return Absorption(
      members: [selection, index], operands: operands,
      results: node.results + (form.keepsMasked ? [dy] : [])
    ) { [form] (values, builder) throws(TypeError) in try builder.emit(form, operands: values) }
  }
}
