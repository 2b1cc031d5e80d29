/// Builds a graph node by node, checking types as it goes.
public struct GraphBuilder {
  /// What has been built so far.
  public private(set) var graph: Graph

  /// The user's call that nodes emitted from now on are put down to.
  public var site: SourceSite?

  /// A builder that goes on from `graph`.
  public init(_ graph: Graph = Graph()) { self.graph = graph }

  /// Adds an input.
  public mutating func input(_ name: String, _ type: TensorType) -> Value {
    let value = makeValue(type)
    graph.inputs.append(Graph.Input(name: name, value: value))
    return value
  }

  /// Adds a node and returns all its results.
  ///
  /// - Throws: `TypeError` where the operation does not take these operands.
  public mutating func emit(_ operation: any Operation, operands: [Value]) throws(TypeError) -> [Value] {
    if let count = type(of: operation).operandCount, count != operands.count {
      throw TypeError(operation, "takes \(count) operands, got \(operands.count)")
    }
    let types: [TensorType]
    do {
      types = try operation.resultTypes(operands.map(\.type))
    } catch {
      var error = error
      error.site = error.site ?? site
      throw error
    }
    for type in types where !type.isValid {
      throw TypeError(operation, "the result \(type) is larger than this machine can address")
    }
    let results = types.map { makeValue($0) }
    graph.nodes.append(Node(operation: operation, operands: operands, results: results, site: site))
    return results
  }

  /// Adds a node with one result.
  ///
  /// - Throws: `TypeError` where the operation does not take these operands.
  public mutating func emit(_ operation: some Operation, _ operands: Value...) throws(TypeError) -> Value {
    try emit(operation, operands: operands)[0]
  }

  /// Sets what the graph returns.
  public mutating func setOutputs(_ outputs: [Value]) { graph.outputs = outputs }

  /// Copies the nodes of another graph, with `arguments` in place of its inputs.
  ///
  /// - Returns: what stands here for each of that graph's values, by id.
  public mutating func inline(_ other: Graph, arguments: [Value]) throws(TypeError) -> [Value?] {
    var map = [Value?](repeating: nil, count: other.valueCount)
    for (input, argument) in zip(other.inputs, arguments) { map[input.value.id] = argument }
    let outer = site
    defer { site = outer }
    for node in other.nodes {
      site = node.site ?? outer
      let results = try emit(node.operation, operands: node.operands.map { map[$0.id]! })
      for (old, new) in zip(node.results, results) { map[old.id] = new }
    }
    return map
  }

  private mutating func makeValue(_ type: TensorType) -> Value {
    defer { graph.valueCount += 1 }
    return Value(id: graph.valueCount, type: type)
  }
}
