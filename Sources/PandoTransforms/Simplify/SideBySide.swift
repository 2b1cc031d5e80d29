import PandoIR
import PandoOperations

extension Rules {
  /// Sums of parts that zeros widen, and that lie side by side, are the parts joined: the gradients of slices, such as
  /// queries, keys and values, need not be written out with zeros and added up.
  static func sideBySide(
    _ x: Value, _ y: Value, _ builder: inout GraphBuilder, _ facts: Facts
  ) throws(TypeError) -> Value? {
    guard let (a, left) = widened(x, facts), let (b, right) = widened(y, facts) else { return nil }
    let differing = a.low.indices.filter { a.low[$0] != b.low[$0] || a.high[$0] != b.high[$0] }
    guard differing.count == 1 else { return nil }
    let dimension = differing[0]
    let aEnd = a.low[dimension] + left.operands[0].type.shape[dimension]
    let bEnd = b.low[dimension] + right.operands[0].type.shape[dimension]
    guard aEnd == b.low[dimension] || bEnd == a.low[dimension] else { return nil }
    let isInOrder = aEnd == b.low[dimension]
    let (first, second) = isInOrder ? (a, b) : (b, a)
    let pieces = [left, right].map { parts($0.operands[0], dimension, facts) }
    let joined = try builder.emit(
      Concatenate(dimension), operands: isInOrder ? pieces[0] + pieces[1] : pieces[1] + pieces[0])[0]
    let pad = Pad(
      low: first.low,
      high: second.high.enumerated().map { place, amount in
        place == dimension ? amount : first.high[place]
      }, interior: first.interior)
    guard (pad.low + pad.high).contains(where: { $0 != 0 }) else { return joined }
    return try builder.emit(pad, joined, left.operands[1])
  }

  /// The node that widens a value with zeros around it.
  private static func widened(_ value: Value, _ facts: Facts) -> (Pad, Node)? {
    guard let node = facts.producer(value), let pad = node.operation as? Pad,
      facts.splat(node.operands[1]) == 0, pad.interior.allSatisfy({ $0 == 0 }),
      (pad.low + pad.high).allSatisfy({ $0 >= 0 })
    else { return nil }
    return (pad, node)
  }

  /// What a value is joined from along a dimension; itself where it is one piece.
  private static func parts(_ value: Value, _ dimension: Int, _ facts: Facts) -> [Value] {
    guard let node = facts.producer(value), node.operation as? Concatenate == Concatenate(dimension) else {
      return [value]
    }
    return node.operands
  }
}
