import COneDNN
import PandoIR
import PandoOperations
import PandoTransforms

/// Lets tensors stay in the layouts in which convolutions are fast, from one operation to the next.
///
/// An operation says in which layouts it works (`LayoutArranging`); an elementwise one takes its operands as they come.
/// Where what is there and what is wanted differ, a `Rearrange` stands between them, once for each value and layout.
struct ArrangeLayouts: Pass {
  let name = "arrange-layouts"
  let settings: ConvolutionSettings
  /// The places of inputs that stay the same from run to run.
  let frozenInputs: Set<Int>

  func apply(_ graph: Graph) throws -> Graph {
    guard graph.nodes.contains(where: { $0.operation is any LayoutArranging }) else { return graph }
    // The library chooses by the number of threads that it is going to have.
    pdnn_set_threads(Int32(settings.threads))
    var rewriter = LayoutRewriter(graph)
    let isFrozen = graph.frozenValues(frozenInputs)
    for node in graph.nodes {
      let surroundings = Surroundings(
        homes: node.operands.map { rewriter.home($0) }, isFrozen: node.operands.map { isFrozen[$0.id] },
        settings: settings)
      try rewriter.add(node, Self.arrangement(node, surroundings))
    }
    return try EliminateDeadCode().apply(rewriter.finish())
  }

  private static func arrangement(_ node: Node, _ surroundings: Surroundings) -> Arrangement? {
    if let arranging = node.operation as? any LayoutArranging {
      return arranging.arrangement(node, surroundings)
    }
    guard node.operation.traits.contains(.elementwise), let shape = node.results.first?.type.shape,
      (node.operands + node.results).allSatisfy({ $0.type.shape == shape }),
      let block = surroundings.block(of: node.operands.indices)
    else { return nil }
    return Arrangement(
      node.operation, operands: node.operands.map { _ in .blocked(block) },
      results: node.results.map { _ in .blocked(block) })
  }
}

extension Graph {
  /// For each value, by its id, whether it depends on nothing but the given inputs and constants.
  func frozenValues(_ inputs: Set<Int>) -> [Bool] {
    var isFrozen = [Bool](repeating: false, count: valueCount)
    for place in inputs { isFrozen[self.inputs[place].value.id] = true }
    for node in nodes where node.operands.allSatisfy({ isFrozen[$0.id] }) {
      for result in node.results { isFrozen[result.id] = true }
    }
    return isFrozen
  }
}

/// Builds a graph whose values lie in layouts of their own.
private struct LayoutRewriter {
  private struct Key: Hashable {
    let value: Int
    let layout: TensorLayout
  }

  private var builder = GraphBuilder()
  private let old: Graph
  private let producers: [Int: Int]
  private var homes: [Int: TensorLayout] = [:]
  private var values: [Key: Value] = [:]

  init(_ graph: Graph) {
    old = graph
    producers = graph.producers
    for input in graph.inputs { set(input.value, .plain, builder.input(input.name, input.value.type)) }
  }

  /// The layout in which an old value is made.
  func home(_ value: Value) -> TensorLayout { homes[value.id]! }

  private mutating func set(_ value: Value, _ layout: TensorLayout, _ new: Value) {
    homes[value.id] = homes[value.id] ?? layout
    values[Key(value: value.id, layout: layout)] = new
  }

  /// What an old value has become, in a layout.
  private mutating func value(_ value: Value, _ layout: TensorLayout) throws(TypeError) -> Value {
    if let known = values[Key(value: value.id, layout: layout)] { return known }
    if let made = try made(value, layout) {
      set(value, layout, made)
      return made
    }
    let home = homes[value.id]!
    let source = values[Key(value: value.id, layout: home)]!
    let rearrange = Rearrange(value.type, from: home, to: layout)
    let moved =
      rearrange.movesNothing
      ? try builder.reshape(source, layout.type(value.type).shape) : try builder.emit(rearrange, source)
    set(value, layout, moved)
    return moved
  }

  /// The value made once more, where it can be made in blocks.
  private mutating func made(_ value: Value, _ layout: TensorLayout) throws(TypeError) -> Value? {
    guard let block = layout.block, let producer = producers[value.id],
      let free = old.nodes[producer].operation as? any LayoutFree
    else { return nil }
    var operands: [Value] = []
    for operand in old.nodes[producer].operands { operands.append(try self.value(operand, .plain)) }
    return try free.emit(block: block, operands, result: value.type, in: &builder)
  }

  /// Adds a node in the form that was chosen for it.
  mutating func add(_ node: Node, _ arrangement: Arrangement?) throws {
    builder.site = node.site
    let form =
      arrangement
      ?? Arrangement(
        node.operation, operands: node.operands.map { _ in .plain }, results: node.results.map { _ in .plain }
      )
    var operands: [Value] = []
    for (operand, layout) in zip(node.operands, form.operands) { operands.append(try value(operand, layout)) }
    let results = try form.emit(operands, &builder)
    for (index, result) in node.results.enumerated() { set(result, form.results[index], results[index]) }
  }

  /// The new graph, whose outputs are plain.
  mutating func finish() throws -> Graph {
    var outputs: [Value] = []
    for output in old.outputs { outputs.append(try value(output, .plain)) }
    builder.setOutputs(outputs)
    return builder.graph
  }
}
