import PandoEngine
import PandoIR
import PandoOperations
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
package typealias PipelinePass = PandoTransforms.PipelinePass
package typealias PipelineSimulation = PandoTransforms.PipelineSimulation
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
  /// Whether the program is one rank's part as it stands, with all its exchanges.
  private let isPart: Bool

  /// A spread from all it says.
  public init(
    _ group: MeshGroup, inputs: [Placement?], outputs: [Placement?], names: [String: [String]] = [:]
  ) {
    self.group = group
    self.inputs = inputs
    self.outputs = outputs
    self.names = names
    isPart = false
  }

  /// A program that every rank of `group` runs on what it has, and that says itself where they exchange
  /// (`Tensor.summed(over:label:)`): all ranks' graphs have the same exchanges in the same order.
  package init(partsOf group: MeshGroup) {
    (self.group, inputs, outputs, names) = (group, [], [], [:])
    isPart = true
  }

  /// One rank's program for a graph.
  func part(of graph: Graph) throws -> Graph {
    guard !isPart else { return try GatherReductions().apply(graph) }
    return try Partition(Partitioning(group.mesh, inputs: inputs, outputs: outputs, names: names)).apply(
      graph)
  }
}

extension Tensor {
  /// The sum over all ranks of a mesh, on every rank.
  ///
  /// - Parameter label: what is added up, in errors and timelines.
  package func summed(over mesh: Mesh, label: String) -> Tensor {
    .emit(AllReduce(axes: mesh.axes.map(\.name), parts: mesh.count, label: label), [self])
  }
}
