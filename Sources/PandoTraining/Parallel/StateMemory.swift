import Pando

/// What a rank of a spread step holds of parameters, gradients and optimizer tensors at the highest moment of a step, by
/// the compiled program's own order: known before the first step.
///
/// Counted are the parts that live from step to step, and inside the program whatever is exchanged on a parameter's
/// behalf or made of a parameter's gradient: wholes that were gathered, and gradients before and after they are added
/// up. Activations are not.
struct StateMemory: Sendable {
  /// Bytes that live from step to step in memory: parameters, statistics and optimizer tensors.
  let keptBytes: Int
  /// Bytes of gathered parameters and of gradients at the highest.
  let passingBytes: Int

  /// All together at the highest.
  var peakBytes: Int { keptBytes + passingBytes }

  init(_ graph: Graph, state: TrainingState) {
    keptBytes = state.entries.reduce(0) { $1.isOffloaded ? $0 : $0 + $1.buffer.type.byteCount }
    let counted = Self.statelike(graph, state)
    passingBytes = Self.peak(graph, counted)
  }

  /// Values that stand for parameters or gradients: those that have a parameter's size, whole or in parts, and lead to
  /// an exchange or an update, or come from a parameter, through nothing but movement.
  private static func statelike(_ graph: Graph, _ state: TrainingState) -> Set<Int> {
    var found: Set<Int> = []
    let names = Set(state.entries.map(\.name))
    for input in graph.inputs where names.contains(input.name) { found.insert(input.value.id) }
    let inputs = found
    let moves: (Node) -> Bool = { node in
      let traits = node.operation.traits
      return !traits.isDisjoint(with: [.movement, .alias]) || node.operation is any ExchangeEnd
    }
    for node in graph.nodes where moves(node) && node.operands.first.map({ found.contains($0.id) }) ?? false {
      for result in node.results { found.insert(result.id) }
    }
    // Backwards from what becomes an output of the state: an update's operands of its own size.
    let sizes = Set(state.weights.flatMap { [$0.type.count, $0.buffer.type.count] })
    let outputs = Set(graph.outputs.prefix(state.entries.count).map(\.id))
    var gradients: Set<Int> = []
    for node in graph.nodes.reversed() {
      let isUpdate = node.results.contains { outputs.contains($0.id) }
      let leads = node.results.contains { gradients.contains($0.id) }
      let isExchange = node.operation is any ExchangeOperation
      guard isUpdate || (leads && (moves(node) || isExchange)) else { continue }
      for operand in node.operands where sizes.contains(operand.type.count) && !found.contains(operand.id) {
        gradients.insert(operand.id)
      }
    }
    return found.union(gradients).subtracting(inputs)
  }

  private static func peak(_ graph: Graph, _ counted: Set<Int>) -> Int {
    var owner = Array(0..<graph.valueCount)
    var last = [Int](repeating: -1, count: graph.valueCount)
    for (index, node) in graph.nodes.enumerated() {
      if node.operation.traits.contains(.alias) { owner[node.results[0].id] = owner[node.operands[0].id] }
      for value in node.operands + node.results { last[owner[value.id]] = index }
    }
    let outputs = Set(graph.outputs.map { owner[$0.id] })
    let inputs = Set(graph.inputs.map(\.value.id))
    var (live, peak) = (0, 0)
    var ending: [Int: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      for result in node.results
      where owner[result.id] == result.id && counted.contains(result.id) && !outputs.contains(result.id)
        && !inputs.contains(result.id)
      {
        live += result.type.byteCount
        ending[last[result.id], default: 0] += result.type.byteCount
      }
      peak = max(peak, live)
      live -= ending[index] ?? 0
    }
    return peak
  }
}
