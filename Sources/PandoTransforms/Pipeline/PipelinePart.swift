import PandoIR
import PandoOperations

/// One part of a network that is cut, as a graph of its own.
public struct PipelinePart: Sendable {
  /// Its inputs are those of the whole that it uses, and after them what arrives from the part before; its outputs what
  /// leaves for the part behind, and after that those of the whole that it makes.
  public let graph: Graph
  /// For each of its first inputs the place among the whole's.
  public let inputs: [Int]
  /// What arrives.
  public let arriving: [TensorType]
  /// What leaves.
  public let leaving: [TensorType]
  /// For each of its last outputs the place among the whole's.
  public let outputs: [Int]

  /// All parts of a graph, which goes through the same layers as the one that the cut was made for.
  ///
  /// What several parts need and what does not depend on the batch, each computes for itself; what skips parts goes
  /// through all of them. An output that does not depend on the batch is made by the last part.
  ///
  /// - Parameters:
  ///   - graph: its first output is where the batch leads.
  ///   - batch: the place of the batch among its inputs.
  /// - Throws: `PipelineError` where the graph goes through other layers.
  public static func all(of graph: Graph, batch: Int, _ cut: PipelineCut) throws -> [PipelinePart] {
    let chain = LayerChain(graph, batch: batch)
    guard chain.names == cut.layers else {
      throw PipelineError(
        description:
          "the network goes through \(chain.names) here, but was cut for \(cut.layers); do not cut it")
    }
    let count = cut.parts.count
    let partOfNode = chain.layers.map { $0.map(cut.part) }
    let made = chain.layerOfValue.map { $0.map(cut.part) }
    var lastRead = [Int](repeating: -1, count: graph.valueCount)
    for (node, part) in zip(graph.nodes, partOfNode) {
      guard let part else { continue }
      for operand in node.operands { lastRead[operand.id] = max(lastRead[operand.id], part) }
    }
    // crossing[k] goes from part k - 1 to part k.
    var crossing = [[Value]](repeating: [], count: count + 1)
    for value in graph.nodes.flatMap(\.results) {
      guard let from = made[value.id], lastRead[value.id] > from else { continue }
      for part in (from + 1)...lastRead[value.id] { crossing[part].append(value) }
    }
    return try (0..<count).map { part in
      let outputs = graph.outputs.indices.filter { (made[graph.outputs[$0].id] ?? count - 1) == part }
      return try PipelinePart(graph, arriving: crossing[part], leaving: crossing[part + 1], outputs: outputs)
    }
  }

  private init(_ whole: Graph, arriving: [Value], leaving: [Value], outputs: [Int]) throws {
    let given = Set(arriving.map(\.id))
    var needed = [Bool](repeating: false, count: whole.valueCount)
    let wanted = leaving + outputs.map { whole.outputs[$0] }
    for value in wanted { needed[value.id] = true }
    var nodes: [Node] = []
    for node in whole.nodes.reversed()
    where node.results.contains(where: { needed[$0.id] && !given.contains($0.id) }) {
      nodes.append(node)
      for operand in node.operands { needed[operand.id] = true }
    }
    var builder = GraphBuilder()
    var values = [Value?](repeating: nil, count: whole.valueCount)
    inputs = whole.inputs.indices.filter { needed[whole.inputs[$0].value.id] }
    for place in inputs {
      let input = whole.inputs[place]
      values[input.value.id] = builder.input(input.name, input.value.type)
    }
    for (place, value) in arriving.enumerated() {
      values[value.id] = builder.input("arriving-\(place)", value.type)
    }
    for node in nodes.reversed() {
      builder.site = node.site
      let results = try builder.emit(node.operation, operands: node.operands.map { values[$0.id]! })
      for (old, new) in zip(node.results, results) where !given.contains(old.id) { values[old.id] = new }
    }
    builder.setOutputs(wanted.map { values[$0.id]! })
    graph = builder.graph
    self.arriving = arriving.map(\.type)
    self.leaving = leaving.map(\.type)
    self.outputs = outputs
  }
}
