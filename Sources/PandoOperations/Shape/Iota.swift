import PandoIR

/// Numbers the places along a dimension: 0, 1, 2 …, the same along every other dimension.
///
/// Numbers are rounded to a floating-point type and wrap in a narrow integer type.
public struct Iota: Operation {
  public static let name = "iota"
  public static let operandCount: Int? = 0

  /// The result's shape and element type.
  public let type: TensorType
  /// The dimension along which numbers increase.
  public let dimension: Int

  /// The places along `dimension` of a tensor of `type`, any but `bool`.
  public init(_ type: TensorType, dimension: Int) {
    self.type = type
    self.dimension = dimension
  }

  public var traits: Traits { .generator }

  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard type.isValid else { throw TypeError(self, "\(type) is no type of a tensor that can be addressed") }
    guard type.dtype != .bool else { throw TypeError(self, "makes numbers, and cannot make \(type)") }
    guard type.shape.indices.contains(dimension) else {
      throw TypeError(self, "\(type) has no dimension \(dimension)")
    }
    return [type]
  }

  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [] }

  /// Any dimension may be split; a part of the numbered one does not begin at 0.
  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    ShardingRule(operands: [], results: [ShardingRule.labels(type.rank)])
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost {
    Cost(flops: 0, operands: operands, results: results)
  }
}

extension GraphBuilder {
  /// 0, 1, 2 … along a dimension of a tensor of `type`.
  public mutating func iota(_ type: TensorType, dimension: Int) throws(TypeError) -> Value {
    try emit(Iota(type, dimension: dimension))
  }

  /// For each label a row of `classes` numbers: 1 at the label's place, 0 elsewhere; all 0 for a label that is no
  /// class.
  ///
  /// - Parameter labels: of an integer type.
  /// - Returns: the labels' shape with a last dimension of size `classes`.
  public mutating func oneHot(
    _ labels: Value, classes: Int, dtype: DType
  ) throws(TypeError) -> Value {
    guard labels.type.dtype.isInteger else {
      throw TypeError(operation: "one_hot", "the labels must be integers, got \(labels.type)")
    }
    guard classes >= 0 else {
      throw TypeError(operation: "one_hot", "the number of classes must not be negative, got \(classes)")
    }
    let rank = labels.type.rank
    // A narrow label type may have no room for the number of classes, which would wrap to a wrong match.
    let wide = try convert(labels, to: labels.type.dtype == .int64 ? .int64 : .int32)
    let type = wide.type.with(shape: labels.type.shape + [classes])
    let spread = try broadcast(wide, to: type.shape, dimensions: Array(0..<rank))
    return try convert(compare(.equal, spread, iota(type, dimension: rank)), to: dtype)
  }
}
