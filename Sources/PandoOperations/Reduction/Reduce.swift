import PandoIR

/// Combines the elements along some dimensions, which the result drops.
public struct Reduce: Accumulating {
  /// How elements are combined. NaN wins in `maximum` and `minimum`.
  public enum Function: String, Hashable, Sendable, Codable, CaseIterable {
    case sum, maximum, minimum, product
  }

  public static let name = "reduce"
  public static let operandCount: Int? = 1

  /// How elements are combined.
  public let function: Function
  /// Which dimensions are dropped, in increasing order.
  public let dimensions: [Int]
  public let resultDType: DType?

  /// A reduction over `dimensions`, in any order.
  ///
  /// - Parameter dtype: of a sum, the result's element type: the operand's (as for `nil`) or its accumulator's.
  public init(_ function: Function, _ dimensions: [Int], dtype: DType? = nil) {
    self.function = function
    self.dimensions = dimensions.sorted()
    resultDType = dtype
  }

  /// Sums and products need float32's digits; the largest element is one of those that there are.
  public var precision: PrecisionRule {
    switch function {
    case .sum, .product: .full
    case .maximum, .minimum: .follow
    }
  }

  public func accumulating(in dtype: DType) -> Reduce? {
    function == .sum ? Reduce(.sum, dimensions, dtype: dtype) : nil
  }

  /// The operand's type without the reduced dimensions.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    let x = operands[0]
    guard Set(dimensions).count == dimensions.count, dimensions.allSatisfy(x.shape.indices.contains) else {
      throw TypeError(self, "\(dimensions) must name dimensions of \(x), each once")
    }
    guard x.dtype != .bool || function == .maximum || function == .minimum else {
      throw TypeError(
        self, "\(function.rawValue) takes numbers, got \(x); convert it, or take the maximum for 'any'")
    }
    if function == .maximum || function == .minimum, dimensions.contains(where: { x.shape[$0] == 0 }) {
      throw TypeError(self, "\(function.rawValue) over no elements of \(x) has no value")
    }
    guard resultDType == nil || function == .sum else {
      throw TypeError(self, "only a sum can have a result of another type; convert the \(function.rawValue)")
    }
    let kept = x.shape.indices.filter { !dimensions.contains($0) }
    return [TensorType(kept.map { x.shape[$0] }, try accumulatedDType(x))]
  }

  /// A sum's cotangent is repeated; an extremum's goes to the elements that reach it, in equal shares; a product's
  /// is multiplied by the product of the others (which needs that no element is zero).
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    let x = operands[0]
    let cotangent = try graph.convert(cotangents[0], to: x.type.dtype)
    let dy = try graph.broadcast(cotangent, to: x.type.shape, restoring: dimensions)
    switch function {
    case .sum: return [dy]
    case .product:
      let y = try graph.broadcast(results[0], to: x.type.shape, restoring: dimensions)
      return [try graph.multiply(dy, graph.divide(y, x))]
    case .maximum, .minimum:
      let y = try graph.broadcast(results[0], to: x.type.shape, restoring: dimensions)
      let reached = try graph.convert(graph.compare(.equal, x, y), to: x.type.dtype)
      let ties = try graph.reduce(.sum, reached, dimensions)
      let share = try graph.divide(reached, graph.broadcast(ties, to: x.type.shape, restoring: dimensions))
      return [try graph.multiply(dy, share)]
    }
  }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    let labels = Array(ShardingRule.labels(operands[0].rank))
    let kept = labels.indices.filter { !dimensions.contains($0) }.map { labels[$0] }
    return ShardingRule(
      operands: [String(labels)], results: [String(kept)],
      reduction: ShardingRule.Reduction(rawValue: function.rawValue)!, linear: function == .sum ? [[0]] : [])
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: operands[0].count, operands: operands, results: results)
  }
}
