import PandoIR

/// An operation of a compiled program as people read it, and what it has to do.
public struct KernelDescription: Hashable, Sendable, Codable {
  /// The operation's name: `contraction`.
  public let kind: String
  /// The name with what sets it apart: `contraction ik,kj->ij`.
  public let name: String
  /// The operands' types: `float32[128,784]`.
  public let operands: [String]
  /// The results' types.
  public let results: [String]
  /// The element type of the first floating-point operand, or of the result where there is none: in which it computes.
  public let dtype: String
  /// Floating-point operations of one execution.
  public let flops: Int
  /// Bytes of operands and results: what must cross the memory's bus where nothing is cached.
  public let bytes: Int

  /// What a node does.
  public init(_ node: Node) {
    kind = type(of: node.operation).name
    let text = (node.operation as? any CustomStringConvertible)?.description ?? kind
    name = text.hasPrefix(kind) ? text : "\(kind) \(text)"
    operands = node.operands.map(\.type.description)
    results = node.results.map(\.type.description)
    let types = (node.operands + node.results).map(\.type.dtype)
    dtype = (types.first(where: \.isFloatingPoint) ?? types.first ?? .float32).rawValue
    let cost = node.operation.cost(node.operands.map(\.type), node.results.map(\.type))
    (flops, bytes) = (cost.flops, cost.bytes)
  }

  /// Name and types in a line: `contraction ik,kj->ij (float32[128,784], …) -> float32[128,512]`.
  public var description: String {
    "\(name) (\(operands.joined(separator: ", "))) -> \(results.joined(separator: ", "))"
  }
}
