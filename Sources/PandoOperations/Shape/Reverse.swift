import PandoIR

/// Turns the order of elements around along some dimensions.
public struct Reverse: Operation {
  public static let name = "reverse"
  public static let operandCount: Int? = 1

  /// Which dimensions are turned around, in increasing order.
  public let dimensions: [Int]

  /// A reversal of `dimensions`, in any order.
  public init(_ dimensions: [Int]) { self.dimensions = dimensions.sorted() }

  public var traits: Traits { .movement }

  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let x = operands[0]
    guard Set(dimensions).count == dimensions.count, dimensions.allSatisfy(x.shape.indices.contains) else {
      throw TypeError(self, "\(dimensions) must name dimensions of \(x), each once")
    }
    return [x]
  }

  /// The cotangent, turned around.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [try graph.emit(self, cotangents[0])] }

  /// A dimension that keeps its order may be split.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    var rule = ShardingRule.elementwise(rank: operands[0].rank, operandCount: 1)
    let labels = Array(ShardingRule.labels(operands[0].rank))
    rule.whole = Set(dimensions.map { labels[$0] })
    rule.linear = [[0]]
    return rule
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: operands, results: results)
  }
}
