/// What is wrong with a graph: a broken invariant of the pass that made it, never a user's mistake.
public struct VerifierError: Error, CustomStringConvertible, Sendable {
  /// Which rule is broken, and where.
  public let description: String

  /// An error with its description.
  public init(description: String) { self.description = description }
}

extension Graph {
  /// Checks the graph's invariants: each value is defined once and before its uses, and every node's result types are
  /// those that its operation derives from its operands; each exchange on a channel is waited for before its result is
  /// used.
  ///
  /// - Throws: `VerifierError` at the first that is broken.
  public func verify() throws {
    var defined: [Int: TensorType] = [:]
    func define(_ value: Value, _ place: String) throws {
      guard value.id >= 0, value.id < valueCount else {
        throw VerifierError(description: "\(place) defines %\(value.id), beyond the \(valueCount) values")
      }
      guard defined.updateValue(value.type, forKey: value.id) == nil else {
        throw VerifierError(description: "\(place) defines %\(value.id) a second time")
      }
    }
    func use(_ value: Value, _ place: String) throws {
      guard let type = defined[value.id] else {
        throw VerifierError(description: "\(place) uses %\(value.id) before it is defined")
      }
      guard type == value.type else {
        throw VerifierError(description: "\(place) uses %\(value.id) as \(value.type), but it is \(type)")
      }
    }
    var names: Set<String> = []
    for input in inputs {
      try define(input.value, "input \(input.name)")
      guard names.insert(input.name).inserted else {
        throw VerifierError(description: "two inputs are named \(input.name)")
      }
    }
    var exchanges = ExchangeVerifier()
    for (index, node) in nodes.enumerated() {
      let place = "node \(index) (\(type(of: node.operation).name))"
      for operand in node.operands { try use(operand, place) }
      if let count = type(of: node.operation).operandCount, count != node.operands.count {
        throw VerifierError(description: "\(place) has \(node.operands.count) operands, not \(count)")
      }
      let types: [TensorType]
      do { types = try node.operation.resultTypes(node.operands.map(\.type)) } catch {
        throw VerifierError(description: "\(place): \(error)")
      }
      guard types == node.results.map(\.type) else {
        throw VerifierError(description: "\(place) has results \(node.results.map(\.type)), not \(types)")
      }
      for result in node.results { try define(result, place) }
      try exchanges.visit(node, place)
    }
    try exchanges.finish()
    for output in outputs { try use(output, "the output list") }
  }
}
