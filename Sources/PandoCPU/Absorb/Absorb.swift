import PandoIR
import PandoOperations
import PandoTransforms

/// An operation that can do the work of nodes around it in its own sweep over memory: it conforms in a file of its own.
package protocol Absorbing: PandoIR.Operation {
  /// What it takes over, when it stands at place `index`; `nil` for nothing.
  func absorption(at index: Int, in surroundings: Neighbourhood) -> Absorption?
}

/// Nodes that become one form.
package struct Absorption {
  /// The places of the nodes, in order.
  let members: [Int]
  /// What the form reads; none of it is made by a member.
  let operands: [Value]
  /// For each result of the form, the value that it stands for, if anything else uses it.
  let results: [Value?]
  /// Emits the form.
  let emit: ([Value], inout GraphBuilder) throws(TypeError) -> [Value]
}

/// Lets operations take over the work of their neighbours, until none takes any more.
struct Absorb: Pass {
  let name = "absorb"
  /// The places of inputs that stay the same from run to run.
  let frozenInputs: Set<Int>

  func apply(_ graph: Graph) throws -> Graph {
    var graph = graph
    while let next = try sweep(graph) { graph = next }
    return graph
  }

  /// The graph after each operation has been asked once; `nil` where none took anything.
  private func sweep(_ graph: Graph) throws -> Graph? {
    guard graph.nodes.contains(where: { $0.operation is any Absorbing }) else { return nil }
    let surroundings = Neighbourhood(graph, frozenInputs)
    var merges = Merges(graph, surroundings)
    for (index, node) in graph.nodes.enumerated() {
      guard let absorbing = node.operation as? any Absorbing,
        let absorption = absorbing.absorption(at: index, in: surroundings)
      else { continue }
      merges.add(absorption)
    }
    return merges.isEmpty ? nil : try EliminateDeadCode().apply(merges.rebuilt())
  }
}

/// Absorptions of one sweep, none of which touches another.
private struct Merges {
  private let graph: Graph
  private let surroundings: Neighbourhood
  private var absorptions: [Absorption] = []
  private var absorptionOf: [Int: Int] = [:]

  init(_ graph: Graph, _ surroundings: Neighbourhood) {
    self.graph = graph
    self.surroundings = surroundings
  }

  var isEmpty: Bool { absorptions.isEmpty }

  /// Adds an absorption, unless its nodes or operands are just being absorbed, or its form would wait for itself.
  mutating func add(_ absorption: Absorption) {
    let touched = absorption.members + absorption.operands.compactMap { surroundings.producer(of: $0) }
    guard touched.allSatisfy({ absorptionOf[$0] == nil }) else { return }
    guard !reaches(from: absorption.operands, to: Set(absorption.members)) else { return }
    for member in absorption.members { absorptionOf[member] = absorptions.count }
    absorptions.append(absorption)
  }

  /// Whether making any of `values` needs one of `members`; what is absorbed together is made together.
  private func reaches(from values: [Value], to members: Set<Int>) -> Bool {
    var visited: Set<Int> = []
    var stack = values.compactMap { surroundings.producer(of: $0) }
    while let node = stack.popLast() {
      if members.contains(node) { return true }
      guard visited.insert(node).inserted else { continue }
      let needed = absorptionOf[node].map { absorptions[$0].operands } ?? graph.nodes[node].operands
      stack += needed.compactMap { surroundings.producer(of: $0) }
    }
    return false
  }

  /// The graph with each form in place of its nodes, in an order that their edges allow.
  func rebuilt() throws -> Graph {
    var rewriter = Rewriter(graph)
    var isDone = [Bool](repeating: false, count: graph.nodes.count)
    func emit(_ index: Int) throws {
      guard !isDone[index] else { return }
      let absorption = absorptionOf[index].map { absorptions[$0] }
      for member in absorption?.members ?? [index] { isDone[member] = true }
      for operand in absorption?.operands ?? graph.nodes[index].operands {
        if let producer = surroundings.producer(of: operand) { try emit(producer) }
      }
      guard let absorption else { return try rewriter.copy(graph.nodes[index]) }
      rewriter.builder.site = graph.nodes[absorption.members.last!].site
      let made = try absorption.emit(absorption.operands.map { rewriter[$0] }, &rewriter.builder)
      for (old, new) in zip(absorption.results, made) { if let old { rewriter[old] = new } }
    }
    for index in graph.nodes.indices { try emit(index) }
    return rewriter.finish()
  }
}
