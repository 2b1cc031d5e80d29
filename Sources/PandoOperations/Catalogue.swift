import PandoIR

/// Every operation, by name: what the parser and the conformance suite know.
public struct Catalogue: Sendable {
  /// Every operation type.
  public let operations: [any PandoIR.Operation.Type]

  /// The operations of this package, a family a list.
  public static let standard = Catalogue(
    operations: [
      elementwise, shape, movement, indexing, contraction, convolution, pooling, reduction, ordering, random,
      activation,
      normalization, attention, loss, regularization, update, collective,
    ].flatMap { $0 })

  static let elementwise: [any PandoIR.Operation.Type] = [
    Constant.self, Unary.self, Binary.self, Compare.self, Select.self, Convert.self,
  ]

  static let shape: [any PandoIR.Operation.Type] = [
    Broadcast.self, Reshape.self, Transpose.self,
  ]

  static let contraction: [any PandoIR.Operation.Type] = [
    Contraction.self
  ]

  static let reduction: [any PandoIR.Operation.Type] = [
    Reduce.self, SumOfSquares.self,
  ]

  /// The operation called `name`.
  public func operation(named name: String) -> (any PandoIR.Operation.Type)? {
    operations.first { $0.name == name }
  }
}
