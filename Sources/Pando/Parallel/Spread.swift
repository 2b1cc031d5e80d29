import PandoEngine
import PandoIR
import PandoTransforms

/// How one input or output of a program is spread over ranks, and how much that weighs in deciding where computations
/// are done.
public typealias Placement = PandoTransforms.Placement

/// A forward pass cut for a pipeline; see `PandoTransforms`.
public typealias PipelineCut = PandoTransforms.PipelineCut
/// Which passes each stage of a pipeline does, and in what order.
public typealias PipelineOrder = PandoTransforms.PipelineOrder
/// In what order a stage of a pipeline does its passes.
public typealias PipelineSchedule = PandoTransforms.PipelineSchedule
/// A network that cannot be cut as asked.
public typealias PipelineError = PandoTransforms.PipelineError
package typealias PipelinePart = PandoTransforms.PipelinePart
package typealias PartPasses = PandoTransforms.PartPasses
package typealias Partitioning = PandoTransforms.Partitioning

/// How a program is spread over the ranks of a mesh: every rank makes the same program, from the same tensors, and
/// compiles its own part.
public struct Spread: Sendable {
  /// The mesh and this rank's place in it.
  public let group: MeshGroup
  /// For each input how it is spread; whole copies where `nil`, and for inputs beyond.
  public let inputs: [Placement?]
  /// For each output how it is spread; whole copies where `nil`, and for outputs beyond.
  public let outputs: [Placement?]
  /// The mesh axes along which named dimensions of tensors inside the program are cut (see `Tensor.named`).
  public let names: [String: [String]]

  /// A spread from all it says.
  public init(
    _ group: MeshGroup, inputs: [Placement?], outputs: [Placement?], names: [String: [String]] = [:]
  ) {
    self.group = group
    self.inputs = inputs
    self.outputs = outputs
    self.names = names
  }

  /// One rank's program for a graph.
  func part(of graph: Graph) throws -> Graph {
    try Partition(Partitioning(group.mesh, inputs: inputs, outputs: outputs, names: names)).apply(graph)
  }
}
