import PandoIR

/// The same elements, in the same order, in another shape.
public struct Reshape: Operation {
  public static let name = "reshape"
  public static let operandCount: Int? = 1

  /// The result's shape.
  public let shape: [Int]

  /// A view of the operand as `shape`.
  public init(_ shape: [Int]) { self.shape = shape }

  public var traits: Traits { [.alias, .movement] }

  /// The number of elements does not change.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let result = operands[0].with(shape: shape)
    guard result.isValid, result.count == operands[0].count else {
      throw TypeError(
        self, "cannot see \(operands[0]) (\(operands[0].count) elements) as \(shape)")
    }
    return [result]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [try graph.reshape(cotangents[0], operands[0].type.shape)] }

  /// A dimension that keeps its size and the number of elements before it may be split; the rest stays whole.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let from = operands[0].shape
    let fromLabels = Array(ShardingRule.labels(from.count))
    var toLabels = Array(ShardingRule.labels(shape.count, from: from.count))
    var whole = Set(fromLabels + toLabels)
    for (i, size) in from.enumerated() {
      let before = from[..<i].reduce(1, *)
      for (j, other) in shape.enumerated()
      where shape[..<j].reduce(1, *) == before && size == other && size > 1 {
        toLabels[j] = fromLabels[i]
        whole.remove(fromLabels[i])
        break
      }
    }
    whole.formIntersection(fromLabels + toLabels)
    return ShardingRule(operands: [String(fromLabels)], results: [String(toLabels)], whole: whole)
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost { Cost(flops: 0, bytes: 0) }
}
