import PandoIR
import PandoOperations

/// Computes a float32 graph in mixed precision: what an operation's `precision` allows is done in a 16-bit type, the rest
/// stays as it is (Micikevicius et al. 2017, arXiv:1710.03740; with bfloat16 no loss scale is needed, Kalamkar et al.
/// 2019, arXiv:1905.12322).
///
/// Inputs and outputs keep their types, so parameters are float32 masters that are rounded once, however many operations
/// read them. The pass is meant for what is then differentiated: a rounding's gradient is a widening, so cotangents have
/// the types of what they belong to, and a parameter's is float32. Values that were not float32 before are left alone.
public struct MixedPrecision: Pass {
  public let name = "mixed-precision"
  private let low: DType

  /// - Parameter low: the 16-bit type.
  public init(_ low: DType = .bfloat16) { self.low = low }

  public func apply(_ graph: Graph) throws -> Graph {
    var narrowing = Narrowing(graph, low)
    for node in graph.nodes { try narrowing.add(node) }
    return try narrowing.finish()
  }
}

/// The graph in the making. An old float32 value becomes a value of float32 or of the low type, whichever its producer
/// gives; the other is made when someone asks for it, once.
private struct Narrowing {
  private var rewriter: Rewriter
  private let old: Graph
  private let low: DType
  private var narrow: [Int: Value] = [:]
  private var wide: [Int: Value] = [:]
  /// The new graph's nodes by what they make.
  private var producers: [Int: Node] = [:]
  private var known = 0

  init(_ graph: Graph, _ low: DType) {
    rewriter = Rewriter(graph)
    old = graph
    self.low = low
  }

  mutating func add(_ node: Node) throws {
    rewriter.builder.site = node.site
    let rule = node.operation.precision
    let deciding = node.operands.indices.filter {
      node.operands[$0].type.dtype.isFloatingPoint && !rule.kept.contains($0)
    }
    let takesPart = !deciding.isEmpty && deciding.allSatisfy { node.operands[$0].type.dtype == .float32 }
    let narrowed = deciding.filter { rewriter[node.operands[$0]].type.dtype == low }
    var operation = node.operation
    var rounds = false
    switch rule.kind {
    case .low: rounds = takesPart
    case .follow: rounds = takesPart && !narrowed.isEmpty
    case .full:
      // Sums widen as they read.
      guard takesPart, narrowed == deciding, let sum = operation as? any Accumulating, sum.resultDType == nil,
        let unrounded = sum.accumulating(in: .float32)
      else { break }
      operation = unrounded
      rounds = true
    }
    var operands: [Value] = []
    for (place, operand) in node.operands.enumerated() {
      let value = rewriter[operand]
      operands.append(
        rounds && deciding.contains(place)
          ? try rounded(value) : try restored(value, to: operand.type.dtype))
    }
    let results = try rewriter.builder.emit(operation, operands: operands)
    for (before, after) in zip(node.results, results) { rewriter[before] = after }
  }

  /// A value in the low type. What only repeats or moves a smaller tensor is done again on the rounded tensor.
  private mutating func rounded(_ value: Value) throws -> Value {
    if value.type.dtype == low { return value }
    if let made = narrow[value.id] { return made }
    learn()
    let made: Value
    if let node = producers[value.id], let place = movedOperand(node) {
      var operands = node.operands
      operands[place] = try rounded(operands[place])
      made = try rewriter.builder.emit(node.operation, operands: operands)[0]
    } else {
      made = try rewriter.builder.convert(value, to: low)
    }
    narrow[value.id] = made
    return made
  }

  /// The place of the one floating-point operand of a movement that has no more elements than the result.
  private func movedOperand(_ node: Node) -> Int? {
    guard node.operation.traits.contains(.movement), node.results.count == 1 else { return nil }
    let places = node.operands.indices.filter { node.operands[$0].type.dtype.isFloatingPoint }
    guard places.count == 1, node.operands[places[0]].type.count <= node.results[0].type.count else {
      return nil
    }
    return places[0]
  }

  /// A value in the type that it had.
  private mutating func restored(_ value: Value, to dtype: DType) throws -> Value {
    if value.type.dtype == dtype { return value }
    if let made = wide[value.id] { return made }
    let made = try rewriter.builder.convert(value, to: dtype)
    wide[value.id] = made
    return made
  }

  private mutating func learn() {
    for node in rewriter.builder.graph.nodes[known...] {
      for result in node.results { producers[result.id] = node }
    }
    known = rewriter.builder.graph.nodes.count
  }

  mutating func finish() throws -> Graph {
    for output in old.outputs { rewriter[output] = try restored(rewriter[output], to: output.type.dtype) }
    return rewriter.finish()
  }
}
