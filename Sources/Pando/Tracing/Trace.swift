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
  }
}

private struct Tracer {
  struct Key: Hashable {
    let node: ObjectIdentifier
    let index: Int
    init(_ tensor: Tensor) {
      node = ObjectIdentifier(tensor.node)
      index = tensor.index
    }
  }

  var builder = GraphBuilder()
  var values: [Key: Value] = [:]
  var leaves: [Tensor] = []
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
          let key = Key(Tensor(node: tensor.node, index: index))
          if values[key] == nil { values[key] = result }
        }
      }
    }
  }
}

extension Tensor {
  /// The tensors that a graph's outputs are when its inputs are `leaves`.
  static func replay(_ graph: Graph, _ leaves: [Tensor]) -> [Tensor] {
    var tensors = [Tensor?](repeating: nil, count: graph.valueCount)
    for (input, leaf) in zip(graph.inputs, leaves) { tensors[input.value.id] = leaf }
    for node in graph.nodes {
      let operands = node.operands.map { tensors[$0.id]! }
      let site = node.site ?? SourceSite(file: #fileID, line: #line)
      let made = TensorNode(.operation(node.operation, operands, site), node.results.map(\.type))
      for (index, result) in node.results.enumerated() {
        tensors[result.id] = Tensor(node: made, index: index)
      }
    }
    return graph.outputs.map { tensors[$0.id]! }
  }
}
