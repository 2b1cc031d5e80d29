import PandoIR

/// A pass: a graph in, a graph out, with the same inputs and outputs.
public protocol Pass: Sendable {
  /// The name under which it is reported.
  var name: String { get }

  /// The graph after the pass.
  func apply(_ graph: Graph) throws -> Graph
}

extension Graph {
  /// This graph after each pass in turn.
  ///
  /// - Parameter verify: whether to verify the graph after every pass, naming the pass that broke it.
  public func applying(_ passes: [any Pass], verify: Bool = false) throws -> Graph {
    var graph = self
    for pass in passes {
      graph = try pass.apply(graph)
      guard verify else { continue }
      do { try graph.verify() } catch { throw VerifierError(description: "after \(pass.name): \(error)") }
    }
    return graph
  }
}

/// Builds a new graph from an old one, node by node, remembering what each old value has become.
package struct Rewriter {
  /// What has been built so far.
  package var builder = GraphBuilder()
  private var values: [Value?]
  private let old: Graph

  /// A rewriter of `graph`, whose inputs it has copied.
  package init(_ graph: Graph) {
    old = graph
    values = [Value?](repeating: nil, count: graph.valueCount)
    for input in graph.inputs { values[input.value.id] = builder.input(input.name, input.value.type) }
  }

  /// What has become of an old value.
  package subscript(_ value: Value) -> Value {
    get { values[value.id]! }
    set { values[value.id] = newValue }
  }

  /// Copies a node as it is.
  package mutating func copy(_ node: Node) throws {
    builder.site = node.site
    let results = try builder.emit(node.operation, operands: node.operands.map { self[$0] })
    for (old, new) in zip(node.results, results) { self[old] = new }
  }

  /// The new graph.
  package mutating func finish() -> Graph {
    builder.setOutputs(old.outputs.map { self[$0] })
    return builder.graph
  }
}
