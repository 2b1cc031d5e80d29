import PandoIR

/// Joins tensors along a dimension, in order.
public struct Concatenate: Operation {
  public static let name = "concatenate"
  public static let operandCount: Int? = nil

  /// The dimension along which they are joined; the others have equal sizes.
  public let dimension: Int

  /// A joining along `dimension`.
  public init(_ dimension: Int) { self.dimension = dimension }

  public var traits: Traits { .movement }

  /// The operands' type, with their sizes along the dimension added up.
  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard let first = operands.first else { throw TypeError(self, "needs at least one operand") }
    guard first.shape.indices.contains(dimension) else {
      throw TypeError(self, "\(first) has no dimension \(dimension)")
    }
    var shape = first.shape
    for other in operands.dropFirst() {
      guard other.dtype == first.dtype else {
        throw TypeError(self, "cannot join \(first) and \(other); convert one")
      }
      var expected = first.shape
      if other.rank == first.rank { expected[dimension] = other.shape[dimension] }
      guard other.shape == expected else {
        throw TypeError(
          self,
          "cannot join \(first) and \(other) along dimension \(dimension): the other sizes must be equal")
      }
      let (sum, overflow) = shape[dimension].addingReportingOverflow(other.shape[dimension])
      guard !overflow else { throw TypeError(self, "the operands together are too large to address") }
      shape[dimension] = sum
    }
    return [first.with(shape: shape)]
  }

  /// Each operand gets its part of the cotangent.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] {
    var gradients: [Value?] = []
    var start = 0
    for operand in operands {
      let limit = start + operand.type.shape[dimension]
      gradients.append(try graph.slice(cotangents[0], dimension, start..<limit))
      start = limit
    }
    return gradients
  }

  /// Every dimension but the joined one may be split.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    var rule = ShardingRule.keeping(rank: operands[0].rank) { $0 != dimension }
    // One label stands for the joined dimension of all operands, whatever their sizes: it is never split.
    rule.operands = Array(repeating: rule.operands[0], count: operands.count)
    rule.linear = [Set(operands.indices)]
    return rule
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: operands, results: results)
  }
}

extension GraphBuilder {
  /// The tensors joined along a dimension; nothing is emitted for one alone.
  public mutating func concatenate(_ parts: [Value], _ dimension: Int) throws(TypeError) -> Value {
    parts.count == 1 ? parts[0] : try emit(Concatenate(dimension), operands: parts)[0]
  }
}
