import PandoIR
import PandoOperations

/// The layers of a network in the order in which a batch goes through them.
///
/// As for recomputation, a layer is what the parameters' names say (`LayerName`). What does not depend on the batch, such
/// as a cast of a weight or a mask, belongs to no layer: whoever needs it computes it.
struct LayerChain {
  /// The layers' names; a tied parameter has its layer named twice.
  let names: [String]
  /// For each node its layer; `nil` for what does not depend on the batch.
  let layers: [Int?]
  /// For each value its layer; `nil` as for nodes, and for inputs.
  let layerOfValue: [Int?]

  /// - Parameters:
  ///   - graph: its first output is where the batch leads.
  ///   - batch: the place of the batch among its inputs.
  init(_ graph: Graph, batch: Int) {
    var leads = [Bool](repeating: false, count: graph.valueCount)
    leads[graph.outputs[0].id] = true
    for node in graph.nodes.reversed() where node.results.contains(where: { leads[$0.id] }) {
      for operand in node.operands { leads[operand.id] = true }
    }
    var modules = [String?](repeating: nil, count: graph.valueCount)
    var flows = [Bool](repeating: false, count: graph.valueCount)
    for input in graph.inputs { modules[input.value.id] = LayerName.module(of: input.name) }
    flows[graph.inputs[batch].value.id] = true
    var names: [String] = []
    var layers = [Int?](repeating: nil, count: graph.nodes.count)
    var layerOfValue = [Int?](repeating: nil, count: graph.valueCount)
    for (index, node) in graph.nodes.enumerated() {
      let own = node.operands.lazy.compactMap { modules[$0.id] }.first
      guard node.operands.contains(where: { flows[$0.id] }) else {
        for result in node.results { modules[result.id] = own }
        continue
      }
      // What only stands beside the way, such as a running statistic, goes with what it is made of.
      let before = node.operands.compactMap { layerOfValue[$0.id] }.max()
      if node.results.contains(where: { leads[$0.id] }) {
        if let own, own != names.last { names.append(own) }
        // What comes before the first layer belongs to it.
        layers[index] = max(0, names.count - 1)
      } else {
        layers[index] = before ?? 0
      }
      for result in node.results {
        flows[result.id] = true
        layerOfValue[result.id] = layers[index]
      }
    }
    self.names = names.isEmpty ? ["input"] : names
    self.layers = layers
    self.layerOfValue = layerOfValue
  }
}
