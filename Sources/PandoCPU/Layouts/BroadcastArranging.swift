import PandoIR
import PandoOperations

extension Broadcast: LayoutFree {
  /// Blocks put a dimension of channels behind all others: an operand that runs along the channels is divided in two,
  /// as long as nothing of it runs behind them.
  package func emit(
    block: Int, _ operands: [Value], result: TensorType, in builder: inout GraphBuilder
  ) throws(TypeError) -> Value? {
    let blocked = TensorLayout.blocked(block).type(result).shape
    let x = operands[0]
    guard let place = dimensions.firstIndex(of: 1), x.type.shape[place] != 1 else {
      return try builder.broadcast(x, to: blocked, dimensions: dimensions)
    }
    guard place == dimensions.count - 1 else { return nil }
    let divided = x.type.shape.dropLast() + [x.type.shape[place] / block, block]
    return try builder.broadcast(
      builder.reshape(x, Array(divided)), to: blocked, dimensions: dimensions + [blocked.count - 1])
  }
}

extension Reduce: LayoutArranging {
  /// Over all spatial dimensions, whatever else.
  package func arrangement(_ node: Node, _ surroundings: Surroundings) -> Arrangement? {
    let (x, y) = (node.operands[0].type, node.results[0].type)
    guard let block = surroundings.homes[0].block, (2..<x.rank).allSatisfy(dimensions.contains) else {
      return nil
    }
    let all = dimensions + (dimensions.contains(1) ? [x.rank] : [])
    return Arrangement(operands: [.blocked(block)], results: [.plain]) {
      (values, builder) throws(TypeError) in
      let reduced = try builder.emit(Reduce(function, all, dtype: resultDType), values[0])
      return [try builder.reshape(reduced, y.shape)]
    }
  }
}
