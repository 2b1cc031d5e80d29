import PandoEngine
import PandoIR
import PandoTransforms

/// Plans the memory of graphs without making programs of them, to choose among graphs.
///
/// What a node's kernel needs is asked once for each operation and types: graphs that differ in what they do twice
/// share nearly all of it.
final class ArenaPlanner {
  private struct Key: Hashable {
    let operation: AnyHashable
    let operands, results: [TensorType]
  }

  private let options: CompileOptions
  private let session: GroupSession
  private var known: [Key: PlanMemory.Needs] = [:]

  init(_ options: CompileOptions) {
    self.options = options
    session = GroupSession(options.group)
  }

  /// The plan for a graph of which every node has a kernel, in its order.
  func plan(_ graph: Graph) throws -> MemoryPlan {
    let needs = try graph.nodes.map { node -> PlanMemory.Needs in
      let key = Key(
        operation: AnyHashable(node.operation), operands: node.operands.map(\.type),
        results: node.results.map(\.type))
      if let needs = known[key] { return needs }
      let kernel = try CPUExecutable.kernel(node, options, session)
      let needs = PlanMemory.Needs(
        workspaceBytes: kernel?.workspaceBytes ?? 0, inPlace: kernel?.inPlace ?? [])
      known[key] = needs
      return needs
    }
    return PlanMemory.plan(graph, needs: needs, donations: options.donations, files: options.files)
  }
}
