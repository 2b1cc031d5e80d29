import PandoIR

/// The operand itself, whose dimensions have names as a parameter's have: an annotation inside a model, which knows
/// nothing of meshes. A strategy maps names to the axes of a mesh, and partitioning then spreads the value so.
///
/// `samples` is the name of the dimension along which the samples of a batch lie. It is cut along the samples' axes, but
/// for those along which another dimension of the same value is cut.
public struct NameDimensions: CompositeOperation {
  public static let name = "name_dimensions"
  public static let operandCount: Int? = 1

  /// The name of each dimension; `nil` for one that is not cut.
  public let names: [String?]

  /// An annotation with a place for each dimension.
  public init(_ names: [String?]) { self.names = names }

  public var traits: Traits { [.alias, .movement] }

  public func resultTypes(_ operands: [TensorType]) throws(TypeError) -> [TensorType] {
    guard names.count == operands[0].rank else {
      throw TypeError(self, "names \(names.count) dimensions, but the operand is \(operands[0])")
    }
    return [operands[0]]
  }

  /// Nothing is done.
  public func decompose(_ operands: [Value], in graph: inout GraphBuilder) throws(TypeError) -> [Value] {
    operands
  }

  /// The cotangent is spread alike.
  public func pullback(
    _ cotangents: [Value], operands: [Value], results: [Value], in graph: inout GraphBuilder
  ) throws(TypeError) -> [Value?] { [try graph.emit(self, cotangents[0])] }

  public func shardingRule(_ operands: [TensorType]) -> ShardingRule {
    .elementwise(rank: operands[0].rank, operandCount: 1)
  }

  public func cost(_ operands: [TensorType], _ results: [TensorType]) -> Cost { Cost(flops: 0, bytes: 0) }
}
