import PandoIR
import PandoOperations

extension Attention: Absorbing {
  /// What only moves queries, keys and values to where heads are apart, and the result back.
  package func absorption(at index: Int, in surroundings: Neighbourhood) -> Absorption? {
    let node = surroundings.graph.nodes[index]
    let views = node.operands.map { StridedView($0, in: surroundings) }
    let after = HeadResult(node.results[0], in: surroundings)
    guard let q = HeadPlaces(views[0]), let k = HeadPlaces(views[1]), let v = HeadPlaces(views[2]),
      after.isMoved || views.map(\.source) != node.operands
    else { return nil }
    let form = StridedAttention(
      causal: causal, scale: scale, queries: node.operands[0].type, keys: node.operands[1].type, q: q, k: k,
      v: v, out: after.places, held: [after.type], gradients: nil)
    guard form.isPossible else { return nil }
    // Others than the move, such as the gradient, see the result as it was.
    return Absorption(
      members: [index] + after.members, operands: views.map(\.source),
      results: [after.value, node.results[1]] + (after.isMoved ? [node.results[0]] : [])
    ) { (values, builder) throws(TypeError) in
      let made = try builder.emit(form, operands: values)
      return after.isMoved ? made + [try builder.transpose(made[0], [0, 2, 1, 3])] : made
    }
  }
}

extension AttentionGradient: Absorbing {
  /// The same, and the joining of the three gradients where queries, keys and values were parts of one tensor.
  package func absorption(at index: Int, in surroundings: Neighbourhood) -> Absorption? {
    let node = surroundings.graph.nodes[index]
    let views = node.operands.map { StridedView($0, in: surroundings) }
    let places = views.map { HeadPlaces($0) }
    // The logarithms of the sums are no heads.
    guard let q = places[0], let k = places[1], let v = places[2], let out = places[3], places[5] == out,
      out.offset == 0, views.map(\.source) != node.operands
    else { return nil }
    let after = node.results.map { HeadResult($0, in: surroundings) }
    guard after.allSatisfy({ !$0.isMoved || $0.isOnlyMoved }) else { return nil }
    func form(_ held: [TensorType], _ gradients: [Int]) -> StridedAttention {
      StridedAttention(
        causal: causal, scale: scale, queries: node.operands[0].type, keys: node.operands[1].type, q: q, k: k,
        v: v, out: out, held: held, gradients: gradients)
    }
    var operands = views.map(\.source)
    operands[4] = node.operands[4]
    if let joint = JointHeads(after, in: surroundings),
      zip([q, k, v], joint.places).allSatisfy({ $0.at(0) == $1.at(0) })
    {
      let form = form([joint.value.type], joint.places.map(\.offset))
      guard form.isPossible else { return nil }
      return Absorption(
        members: [index] + joint.members, operands: operands, results: [joint.value]
      ) { (values, builder) throws(TypeError) in try builder.emit(form, operands: values) }
    }
    let form = form(after.map(\.type), [0, 0, 0])
    guard zip([q, k, v], after).allSatisfy({ $0.at(0) == $1.places }), form.isPossible else { return nil }
    return Absorption(
      members: [index] + after.flatMap(\.members), operands: operands, results: after.map(\.value)
    ) { (values, builder) throws(TypeError) in try builder.emit(form, operands: values) }
  }
}

/// A result [B, H, T, D], or what a transpose behind it makes of it, [B, T, H, D].
struct HeadResult {
  /// The transpose, where there is one.
  let members: [Int]
  let value: Value
  let places: HeadPlaces
  /// Whether nothing but the transpose uses the result.
  let isOnlyMoved: Bool

  var isMoved: Bool { !members.isEmpty }
  var type: TensorType { value.type }

  init(_ result: Value, in surroundings: Neighbourhood) {
    let move = surroundings.users(of: result).first {
      surroundings.graph.nodes[$0].operation as? Transpose == Transpose([0, 2, 1, 3])
    }
    isOnlyMoved = move != nil && surroundings.onlyUser(of: result) == move
    members = move.map { [$0] } ?? []
    value = move.map { surroundings.graph.nodes[$0].results[0] } ?? result
    places = move == nil ? HeadPlaces(dense: result.type) : HeadPlaces(rowsOutside: result.type)
  }
}

/// Three results that are moved, lose the distinction of heads, and are joined along the last dimension.
private struct JointHeads {
  var members: [Int] = []
  let value: Value
  /// Where each lies in the joint tensor.
  let places: [HeadPlaces]

  init?(_ results: [HeadResult], in surroundings: Neighbourhood) {
    var parts: [Value] = []
    for result in results {
      guard result.isMoved, let index = surroundings.onlyUser(of: result.value) else { return nil }
      let node = surroundings.graph.nodes[index]
      let shape = result.type.shape
      guard node.operation is Reshape,
        node.results[0].type.shape == [shape[0], shape[1], shape[2] * shape[3]]
      else { return nil }
      members += result.members + [index]
      parts.append(node.results[0])
    }
    guard let last = surroundings.onlyUser(of: parts[0]) else { return nil }
    let node = surroundings.graph.nodes[last]
    guard node.operation as? Concatenate == Concatenate(2), node.operands == parts else { return nil }
    members.append(last)
    value = node.results[0]
    let width = value.type.shape[2]
    var offset = 0
    places = results.map { result in
      defer { offset += result.type.shape[2] * result.type.shape[3] }
      return HeadPlaces(
        offset: offset, batch: result.type.shape[1] * width, head: result.type.shape[3], row: width)
    }
  }
}
