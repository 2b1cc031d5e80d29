import PandoIR
import PandoOperations

/// Spreads a graph over a mesh: the result is the program of one rank, the same on all, whose inputs and outputs are
/// parts and which says every exchange.
///
/// Shardings are carried from inputs and outputs through the whole graph (`Propagation`), composites that would have to
/// be done whole are decomposed where that lets their parts be done apart, and every node is written down on parts. A
/// value that a node needs otherwise than it is made goes through exchanges, which are made once for all nodes that want
/// them, and which are chosen so that as few bytes as possible are sent. Terms of sums are kept as terms as long as
/// what is done with them is linear.
public struct Partition: Pass {
  public let name = "partition"
  private let partitioning: Partitioning

  /// The pass for one partitioning.
  public init(_ partitioning: Partitioning) { self.partitioning = partitioning }

  /// - Throws: `ShardingError` where an input, an output or an annotated value does not divide over the mesh; `TypeError`
  ///   where an operation's sharding rule does not fit it.
  public func apply(_ graph: Graph) throws -> Graph {
    var writer = try writer(graph)
    return try GatherReductions(bucketBytes: partitioning.bucketBytes).apply(writer.write())
  }

  fileprivate func writer(_ graph: Graph) throws -> PartWriter {
    try checkPlacements(graph)
    var graph = try Simplify().apply(graph)
    while let next = try decomposed(graph) { graph = next }
    var propagation = try Propagation(graph, partitioning)
    propagation.run(downTo: .storage)
    return PartWriter(propagation)
  }

  private func checkPlacements(_ graph: Graph) throws {
    for (place, input) in graph.inputs.enumerated() {
      guard let placement = partitioning.input(place) else { continue }
      _ = try placement.sharding.localType(of: input.value.type, on: partitioning.mesh, name: input.name)
    }
    for (place, output) in graph.outputs.enumerated() {
      guard let placement = partitioning.output(place) else { continue }
      _ = try placement.sharding.localType(of: output.type, on: partitioning.mesh, name: "output \(place)")
    }
    for node in graph.nodes {
      guard let annotation = node.operation as? any ShardingAnnotation,
        let sharding = annotation.sharding(in: partitioning)
      else { continue }
      _ = try sharding.localType(
        of: node.results[0].type, on: partitioning.mesh,
        name: node.site.map { "the value at \($0)" } ?? "a value")
    }
  }

  /// The graph with those composites decomposed whose operands or results are wanted cut where the composite is whole;
  /// `nil` where there are none. Storage does not count: it is cheaper to gather a weight than to lose a kernel.
  private func decomposed(_ graph: Graph) throws -> Graph? {
    var propagation = try Propagation(graph, partitioning)
    propagation.run(downTo: .weights)
    let conflicts = Set(propagation.conflicts.filter { graph.nodes[$0].operation is any CompositeOperation })
    guard !conflicts.isEmpty else { return nil }
    var rewriter = Rewriter(graph)
    for (index, node) in graph.nodes.enumerated() {
      guard conflicts.contains(index), let composite = node.operation as? any CompositeOperation else {
        try rewriter.copy(node)
        continue
      }
      rewriter.builder.site = node.site
      let results = try composite.decompose(node.operands.map { rewriter[$0] }, in: &rewriter.builder)
      for (old, new) in zip(node.results, results) { rewriter[old] = new }
    }
    return try Simplify().apply(rewriter.finish())
  }
}

extension Partitioning {
  /// For each output of a graph the axes along which ranks hold terms of it as it is made: an output that is wanted in
  /// terms along these, or some of them, needs no exchange along them.
  ///
  /// - Throws: as `Partition`.
  public func outputTerms(of graph: Graph) throws -> [[String]] {
    var writer = try Partition(self).writer(graph)
    return try writer.outputTerms()
  }
}
