import PandoEngine
import PandoIR
import PandoTransforms

/// How one input or output of a program is spread over ranks, and how much that weighs in deciding where computations
/// are done.
public typealias Placement = PandoTransforms.Placement

/// How a program is spread over the ranks of a mesh: every rank makes the same program, from the same tensors, and
/// compiles its own part.
public struct Spread: Sendable {
  /// The mesh and this rank's place in it.
  public let group: MeshGroup
  /// For each input how it is spread; whole copies where `nil`, and for inputs beyond.
  public let inputs: [Placement?]
  /// For each output how it is spread; whole copies where `nil`, and for outputs beyond.
  public let outputs: [Placement?]

  /// A spread from all it says.
  public init(_ group: MeshGroup, inputs: [Placement?], outputs: [Placement?]) {
    self.group = group
    self.inputs = inputs
    self.outputs = outputs
  }

  /// One rank's program for a graph.
  func part(of graph: Graph) throws -> Graph {
    try Partition(Partitioning(group.mesh, inputs: inputs, outputs: outputs)).apply(graph)
  }
}
