import PandoIR
import PandoOperations

/// The forward and the backward pass of one part of a network, as two programs: the first hands out the activations that
/// the second reads.
public struct PartPasses: Sendable {
  /// Inputs as the part's; outputs the part's, and after them what is kept.
  public let forward: Graph
  /// Inputs as the part's, then the gradients of what left (`gradients`), one for each place in `seeds` (what the loss
  /// counts in a step), the sums of gradients so far, and what is kept. Outputs the new sums, and the gradients of what
  /// arrived (`answers`).
  public let backward: Graph
  /// Which of what leaves has a gradient.
  public let gradients: [Int]
  /// Which of what arrives has a gradient.
  public let answers: [Int]
  /// Places among the part's inputs of the parameters whose gradients are summed up.
  public let parameters: [Int]
  /// Whether the loss is made here, so that the backward pass takes what it counts.
  public let hasLoss: Bool
  /// What is kept: places among the outputs of `forward`.
  public let kept: [Int]

  /// - Parameters:
  ///   - part: whose first output of the whole, where it makes it, is the loss.
  ///   - trained: places among the whole's inputs of the parameters that have gradients.
  ///   - fixed: places among the whole's inputs of what is the same for every batch: parameters and constants.
  ///   - recomputes: whether nothing is kept but what arrives, and the forward pass is done again.
  public init(_ part: PipelinePart, trained: Set<Int>, fixed: Set<Int>, recomputes: Bool) throws {
    let (used, graph) = (part.inputs.count, part.graph)
    let parameters = (0..<used).filter { trained.contains(part.inputs[$0]) }
    let gradients = part.leaving.indices.filter { part.leaving[$0].dtype.isFloatingPoint }
    let answers = part.arriving.indices.filter { part.arriving[$0].dtype.isFloatingPoint }
    hasLoss = part.outputs.first == 0

    var builder = GraphBuilder()
    var arguments: [Value] = []
    for input in graph.inputs { arguments.append(builder.input(input.name, input.value.type)) }
    var cotangents = [Value?](repeating: nil, count: graph.outputs.count)
    for place in gradients {
      cotangents[place] = builder.input("gradient-\(place)", part.leaving[place])
    }
    if hasLoss {
      let place = part.leaving.count
      cotangents[place] = builder.input("share", graph.outputs[place].type)
    }
    var sums: [Value] = []
    for place in parameters {
      let input = graph.inputs[place]
      sums.append(builder.input("sum-\(place)", input.value.type))
    }
    let (outputs, found) = try builder.reverse(
      graph, arguments: arguments, cotangents: cotangents, wanted: parameters + answers.map { used + $0 })
    var results: [Value] = []
    for (sum, gradient) in zip(sums, found) {
      results.append(try gradient.map { try builder.add(sum, $0) } ?? sum)
    }
    for (place, gradient) in zip(answers, found.dropFirst(sums.count)) {
      results.append(try gradient ?? builder.constant(0, like: arguments[used + place]))
    }
    builder.setOutputs(outputs + results)
    let joint = try builder.graph.applying([KeepSums(), Simplify()])
    let given = (0..<used).filter { fixed.contains(part.inputs[$0]) }
    (forward, backward, kept) = try Self.split(
      joint, outputs: outputs.count, inputs: graph.inputs.count, fixed: Set(given), recomputes: recomputes)
    self.parameters = parameters
    self.gradients = gradients
    self.answers = answers
  }

  /// Takes a graph apart: what its first outputs need, and what the others need beside it.
  private static func split(
    _ joint: Graph, outputs count: Int, inputs: Int, fixed: Set<Int>, recomputes: Bool
  ) throws -> (Graph, Graph, kept: [Int]) {
    var needed = [Bool](repeating: false, count: joint.valueCount)
    for output in joint.outputs[..<count] { needed[output.id] = true }
    var isForward = [Bool](repeating: false, count: joint.nodes.count)
    for (index, node) in joint.nodes.enumerated().reversed()
    where node.results.contains(where: { needed[$0.id] }) {
      isForward[index] = true
      for operand in node.operands { needed[operand.id] = true }
    }
    // What is made of parameters alone is the same for all micro-batches, and is not kept for each.
    var isFixed = [Bool](repeating: false, count: joint.valueCount)
    for place in fixed { isFixed[joint.inputs[place].value.id] = true }
    for node in joint.nodes where node.operands.allSatisfy({ isFixed[$0.id] }) {
      for result in node.results { isFixed[result.id] = true }
    }
    var wanted = [Bool](repeating: false, count: joint.valueCount)
    for output in joint.outputs[count...] { wanted[output.id] = true }
    var kept: [Value] = []
    var backwardNodes: [Node] = []
    for (index, node) in joint.nodes.enumerated().reversed() {
      let read = node.results.filter { wanted[$0.id] }
      guard !read.isEmpty else { continue }
      let isCheap =
        node.operation.traits.contains(.alias) || FusionRole(node) == .source
        || node.results.allSatisfy { isFixed[$0.id] }
      if isForward[index], !isCheap, !recomputes {
        kept += read
      } else {
        backwardNodes.append(node)
        for operand in node.operands { wanted[operand.id] = true }
      }
    }

    var forwardOutputs = Array(joint.outputs[..<count])
    var places: [Int] = []
    for value in kept {
      if let place = forwardOutputs.firstIndex(of: value) {
        places.append(place)
      } else {
        places.append(forwardOutputs.count)
        forwardOutputs.append(value)
      }
    }
    let forward = try graph(
      joint.inputs[..<inputs].map { ($0.name, $0.value) }, zip(joint.nodes, isForward).filter(\.1).map(\.0),
      forwardOutputs)
    let given = joint.inputs.map { ($0.name, $0.value) } + kept.enumerated().map { ("kept-\($0)", $1) }
    let backward = try graph(given, backwardNodes.reversed(), Array(joint.outputs[count...]))
    return (forward, backward, places)
  }

  private static func graph(
    _ inputs: [(name: String, value: Value)], _ nodes: [Node], _ outputs: [Value]
  ) throws -> Graph {
    var builder = GraphBuilder()
    var values: [Int: Value] = [:]
    for input in inputs { values[input.value.id] = builder.input(input.name, input.value.type) }
    for node in nodes {
      builder.site = node.site
      let results = try builder.emit(node.operation, operands: node.operands.map { values[$0.id]! })
      for (old, new) in zip(node.results, results) where values[old.id] == nil { values[old.id] = new }
    }
    builder.setOutputs(outputs.map { values[$0.id]! })
    return builder.graph
  }
}

extension Partitioning {
  /// How the outputs of a graph come to be spread where nothing but its inputs is given: what they are best kept as.
  ///
  /// - Throws: `TypeError` where an operation's rule does not label every dimension once.
  public func outputHomes(of graph: Graph) throws -> [Placement] {
    var propagation = try Propagation(graph, self)
    propagation.run(downTo: .weights)
    return graph.outputs.map { Placement(Sharding(propagation.homes[$0.id]), .data) }
  }
}
