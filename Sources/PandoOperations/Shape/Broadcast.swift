import PandoIR

/// Repeats a tensor along new or size-1 dimensions (StableHLO's `broadcast_in_dim`).
public struct Broadcast: Operation {
  public static let name = "broadcast"
  public static let operandCount: Int? = 1

  /// The result's shape.
  public let shape: [Int]
  /// For each operand dimension, in increasing order, the result dimension it becomes.
  public let dimensions: [Int]

  /// A broadcast to `shape`; operand dimension `i` becomes result dimension `dimensions[i]`.
  public init(shape: [Int], dimensions: [Int]) {
    self.shape = shape
    self.dimensions = dimensions
  }

  public var traits: Traits { .movement }

  /// Each operand dimension is 1 or equals the result dimension it becomes.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let x = operands[0]
    guard dimensions.count == x.rank, zip(dimensions, dimensions.dropFirst()).allSatisfy(<),
      dimensions.allSatisfy(shape.indices.contains)
    else {
      throw TypeError(self, "\(dimensions) must name \(x.rank) increasing dimensions of \(shape)")
    }
    for (size, dimension) in zip(x.shape, dimensions) where size != 1 && size != shape[dimension] {
      throw TypeError(self, "cannot repeat \(x) to \(shape): \(size) becomes \(shape[dimension])")
    }
    return [x.with(shape: shape)]
  }

  /// Sums over what was repeated.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let x = operands[0].type
    let repeated = shape.indices.filter { dimension in
      guard let index = dimensions.firstIndex(of: dimension) else { return true }
      return x.shape[index] == 1 && shape[dimension] != 1
    }
    return [try graph.reshape(graph.reduce(.sum, cotangents[0], repeated), x.shape)]
  }

  /// A repeated dimension may be split in the result only.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let result = Array(ShardingRule.labels(shape.count))
    var spare = shape.count
    var whole: Set<Character> = []
    let operand = zip(dimensions, operands[0].shape).map { dimension, size -> Character in
      if size == shape[dimension] { return result[dimension] }
      defer { spare += 1 }
      let label = Character(ShardingRule.labels(1, from: spare))
      whole.insert(label)
      return label
    }
    return ShardingRule(
      operands: [String(operand)], results: [String(result)], whole: whole, linear: [[0]])
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: operands, results: results)
  }
}
