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

  /// Of dimensions that are merged or divided together the outermost may be split, the others stay whole.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let from = operands[0].shape
    let fromLabels = Array(ShardingRule.labels(from.count))
    var toLabels = Array(ShardingRule.labels(shape.count, from: from.count))
    var whole = Set(fromLabels + toLabels)
    var outermost: Set<Character> = []
    for group in Self.groups(from, shape) {
      guard let i = group.from.first(where: { from[$0] > 1 }),
        let j = group.to.first(where: { shape[$0] > 1 })
      else { continue }
      toLabels[j] = fromLabels[i]
      whole.remove(fromLabels[i])
      if from[i] != shape[j] { outermost.insert(fromLabels[i]) }
    }
    whole.formIntersection(fromLabels + toLabels)
    return ShardingRule(
      operands: [String(fromLabels)], results: [String(toLabels)], whole: whole, outermost: outermost,
      linear: [[0]])
  }

  /// The finest division of two shapes into runs of dimensions that hold the same elements; none for an empty tensor.
  private static func groups(_ from: [Int], _ to: [Int]) -> [(from: Range<Int>, to: Range<Int>)] {
    guard !from.contains(0), !to.contains(0) else { return [] }
    var groups: [(from: Range<Int>, to: Range<Int>)] = []
    var (i, j) = (0, 0)
    while i < from.count, j < to.count {
      let (firstFrom, firstTo) = (i, j)
      var (sizeFrom, sizeTo) = (from[i], to[j])
      (i, j) = (i + 1, j + 1)
      while sizeFrom != sizeTo {
        if sizeFrom < sizeTo {
          sizeFrom *= from[i]
          i += 1
        } else {
          sizeTo *= to[j]
          j += 1
        }
      }
      groups.append((firstFrom..<i, firstTo..<j))
    }
    return groups
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost { Cost(flops: 0, bytes: 0) }
}
