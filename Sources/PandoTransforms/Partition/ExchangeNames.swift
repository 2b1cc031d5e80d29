import PandoIR
import PandoOperations

/// What exchanged values are called: by the input that they come from or belong to.
struct ExchangeNames {
  private let graph: Graph
  private let producers: [Int: Int]
  private let users: [[Int]]
  /// For values that are an input, or only a rearrangement of one, its place among the inputs.
  private var origins: [Int?]
  private let partitioning: Partitioning

  init(_ graph: Graph, _ partitioning: Partitioning) {
    self.graph = graph
    self.partitioning = partitioning
    producers = graph.producers
    var users = [[Int]](repeating: [], count: graph.valueCount)
    origins = [Int?](repeating: nil, count: graph.valueCount)
    for (place, input) in graph.inputs.enumerated() { origins[input.value.id] = place }
    for (index, node) in graph.nodes.enumerated() {
      for operand in node.operands { users[operand.id].append(index) }
      let isCheap = !node.operation.traits.isDisjoint(with: [.elementwise, .movement])
      if isCheap, node.operands.count == 1, node.results.count == 1 {
        origins[node.results[0].id] = origins[node.operands[0].id]
      }
    }
    self.users = users
  }

  /// Whether a value is kept in parts to save memory, so that its whole is gathered for each use and not kept.
  func isGatheredAnew(_ value: Value) -> Bool {
    guard let place = origins[value.id], let placement = partitioning.input(place) else { return false }
    return !placement.storage.isEmpty
  }

  /// The name of what is exchanged.
  ///
  /// - Parameter isReduction: whether terms are added up, as of a gradient.
  func name(of value: Value, isReduction: Bool) -> String {
    if let place = origins[value.id] { return graph.inputs[place].name }
    if isReduction, let input = partner(of: value) { return "gradient of \(input.name)" }
    guard let producer = producers[value.id] else { return "a value" }
    let node = graph.nodes[producer]
    return type(of: node.operation).name + (node.site.map { " at \($0)" } ?? "")
  }

  /// The input of the same type that meets the value in an operation a few steps on, as a parameter meets its gradient.
  private func partner(of value: Value) -> Graph.Input? {
    var (front, seen) = ([value.id], Set([value.id]))
    for _ in 0..<6 {
      var next: [Int] = []
      for id in front {
        for index in users[id] {
          let node = graph.nodes[index]
          for operand in node.operands where operand.id != id && operand.type.shape == value.type.shape {
            if let place = origins[operand.id], graph.inputs[place].value == operand {
              return graph.inputs[place]
            }
          }
          for result in node.results where result.type.shape == value.type.shape {
            if seen.insert(result.id).inserted { next.append(result.id) }
          }
        }
      }
      front = next
    }
    return nil
  }
}
