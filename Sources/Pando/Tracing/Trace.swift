import PandoEngine
import PandoIR

/// The graph behind some tensors.
///
/// Its inputs are the placeholders that were asked for, in their order, and after them everything else at which the
/// tensors' history begins: other placeholders, and tensors whose numbers are known.
package struct Trace {
  package let graph: Graph
  /// What each input of the graph stands for.
  package let leaves: [Tensor]
  /// The tensor that each value of the graph is, by its id.
  let tensors: [Tensor]

  /// - Parameters:
  ///   - outputs: what the graph returns.
  ///   - inputs: tensors at which it begins, whatever lies behind them.
  ///   - usingKnownNumbers: whether history ends where numbers have been computed already.
  /// - Throws: the `TypeError` of the first failed tensor on the way.
  package init(_ outputs: [Tensor], inputs: [Tensor] = [], usingKnownNumbers: Bool = false) throws {
    var tracer = Tracer(usingKnownNumbers: usingKnownNumbers)
    for (index, input) in inputs.enumerated() {
      if let failure = input.failure { throw failure }
      tracer.begin(at: input, name: input.placeholderName ?? "input\(index)")
    }
    for output in outputs { try tracer.visit(output) }
    tracer.builder.setOutputs(outputs.map { tracer.values[Tracer.Key($0)]! })
    graph = tracer.builder.graph
    leaves = tracer.leaves
    tensors = tracer.tensors
  }

  /// The numbers of the leaves behind the first `count`.
  ///
  /// - Throws: `EngineError` where one is a placeholder.
  package func constants(after count: Int) throws -> [HostBuffer] {
    try leaves.dropFirst(count).map { leaf in
      guard let buffer = leaf.node.buffer(leaf.index) else {
        throw EngineError(
          "the program depends on \(leaf.placeholderName ?? "\(leaf)"), which is not one of its inputs")
      }
      return buffer
    }
  }
}

/// Which tensor it is, whatever its numbers.
private struct TensorIdentity: Hashable {
  let node: ObjectIdentifier
  let index: Int
  init(_ tensor: Tensor) {
    node = ObjectIdentifier(tensor.node)
    index = tensor.index
  }
}

private struct Tracer {
  typealias Key = TensorIdentity

  var builder = GraphBuilder()
  var values: [Key: Value] = [:]
  var leaves: [Tensor] = []
  /// By the ids that the builder gives, one after another.
  var tensors: [Tensor] = []
  private var names: Set<String> = []
  private let usingKnownNumbers: Bool

  init(usingKnownNumbers: Bool) { self.usingKnownNumbers = usingKnownNumbers }

  mutating func begin(at tensor: Tensor, name: String) {
    guard values[Key(tensor)] == nil else { return }
    var unique = name
    var number = 2
    while !names.insert(unique).inserted {
      unique = "\(name)#\(number)"
      number += 1
    }
    values[Key(tensor)] = builder.input(unique, tensor.type)
    leaves.append(tensor)
    tensors.append(tensor)
  }

  /// Depth first without recursion: histories are longer than the stack is deep.
  mutating func visit(_ root: Tensor) throws {
    var stack: [(tensor: Tensor, expanded: Bool)] = [(root, false)]
    while let (tensor, expanded) = stack.popLast() {
      if values[Key(tensor)] != nil { continue }
      if usingKnownNumbers && tensor.node.buffer(tensor.index) != nil {
        begin(at: tensor, name: "known\(leaves.count)")
        continue
      }
      switch tensor.node.kind {
      case .failed(let error): throw error
      case .buffer: begin(at: tensor, name: "constant\(leaves.count)")
      case .placeholder(let label): begin(at: tensor, name: label.name)
      case .operation(let operation, let operands, let site):
        if !expanded {
          stack.append((tensor, true))
          for operand in operands.reversed() where values[Key(operand)] == nil {
            stack.append((operand, false))
          }
          continue
        }
        builder.site = site
        let results = try builder.emit(operation, operands: operands.map { values[Key($0)]! })
        for (index, result) in results.enumerated() {
          let made = Tensor(node: tensor.node, index: index)
          tensors.append(made)
          if values[Key(made)] == nil { values[Key(made)] = result }
        }
      }
    }
  }
}

extension Tensor {
  /// The tensors that a graph's outputs are, when the graph came of a trace and has its inputs.
  ///
  /// What the graph computes as the trace did is the trace's own tensor: a loss and its gradient share the forward pass.
  static func replay(_ graph: Graph, _ trace: Trace) -> [Tensor] {
    struct Call: Hashable {
      let operation: AnyHashable
      let operands: [TensorIdentity]
      init(_ operation: any Operation, _ operands: [Tensor]) {
        self.operation = AnyHashable(operation)
        self.operands = operands.map(TensorIdentity.init)
      }
    }
    var known: [Call: TensorNode] = [:]
    for node in trace.graph.nodes {
      let call = Call(node.operation, node.operands.map { trace.tensors[$0.id] })
      known[call] = trace.tensors[node.results[0].id].node
    }
    var tensors = [Tensor?](repeating: nil, count: graph.valueCount)
    for (input, leaf) in zip(graph.inputs, trace.leaves) { tensors[input.value.id] = leaf }
    for node in graph.nodes {
      let operands = node.operands.map { tensors[$0.id]! }
      let site = node.site ?? SourceSite(file: #fileID, line: #line)
      let made =
        known[Call(node.operation, operands)]
        ?? TensorNode(.operation(node.operation, operands, site), node.results.map(\.type))
      for (index, result) in node.results.enumerated() {
        tensors[result.id] = Tensor(node: made, index: index)
      }
    }
    return graph.outputs.map { tensors[$0.id]! }
  }
}
