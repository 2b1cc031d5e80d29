import PandoIR

/// Puts to the front what only depends on inputs that stay the same from run to run, so that it can run once for all.
///
/// Nodes that depend on no input at all only come along where those need them: they are cheaper to make than to keep.
public struct HoistFrozen: Pass {
  public let name = "hoist-frozen"
  private let frozenInputs: Set<Int>

  /// - Parameter frozenInputs: the places of the inputs that stay the same.
  public init(_ frozenInputs: Set<Int>) { self.frozenInputs = frozenInputs }

  public func apply(_ graph: Graph) throws -> Graph {
    let isHoisted = Self.hoisted(graph, frozenInputs)
    return graph.reordered(
      graph.nodes.indices.filter { isHoisted[$0] } + graph.nodes.indices.filter { !isHoisted[$0] })
  }

  /// How many nodes at the front of a graph, in the order that the pass leaves, run once for all.
  public static func count(_ graph: Graph, _ frozenInputs: Set<Int>) -> Int {
    hoisted(graph, frozenInputs).prefix { $0 }.count
  }

  private static func hoisted(_ graph: Graph, _ frozenInputs: Set<Int>) -> [Bool] {
    var isHoisted = [Bool](repeating: false, count: graph.nodes.count)
    guard !frozenInputs.isEmpty else { return isHoisted }
    let producers = graph.producers
    var isStatic = [Bool](repeating: false, count: graph.valueCount)
    var dependsOnInput = isStatic
    for place in frozenInputs {
      isStatic[graph.inputs[place].value.id] = true
      dependsOnInput[graph.inputs[place].value.id] = true
    }
    let isOutput = Set(graph.outputs.map(\.id))
    for (index, node) in graph.nodes.enumerated() where node.operands.allSatisfy({ isStatic[$0.id] }) {
      // An output is written anew in each run, and whatever is made of it.
      if node.results.contains(where: { isOutput.contains($0.id) }) { continue }
      let depends = node.operands.contains { dependsOnInput[$0.id] }
      for result in node.results {
        isStatic[result.id] = true
        dependsOnInput[result.id] = depends
      }
      isHoisted[index] = depends
    }
    for index in graph.nodes.indices.reversed() where isHoisted[index] {
      for operand in graph.nodes[index].operands {
        if let producer = producers[operand.id] { isHoisted[producer] = true }
      }
    }
    return isHoisted
  }
}
