import PandoEngine
import PandoIR
import PandoTransforms

/// Chooses what a training step computes again, by planning the very programs that would run.
struct RecomputeSearch {
  /// A way of computing again, as the engine would run it.
  struct Candidate {
    /// Its number on the ladder.
    let rung: Int
    /// The graph of kernels, in order.
    let graph: Graph
    let plan: MemoryPlan
  }

  private let ladder: RecomputeLadder
  private let planner: ArenaPlanner
  private let options: CompileOptions

  init(_ simplified: Graph, loss: Int, _ options: CompileOptions) {
    let ceilings = options.ceilings
    ladder = RecomputeLadder(simplified, loss: loss) { ceilings.seconds(of: $0) }
    planner = ArenaPlanner(options)
    self.options = options
  }

  /// How many ways there are; number 0 keeps everything.
  var count: Int { ladder.count }

  /// The step as number `rung` says.
  func candidate(_ rung: Int) throws -> Candidate {
    let graph = try ladder.graph(rung).applying(CPUEngine.backPasses(options), verify: options.verify)
    return Candidate(rung: rung, graph: graph, plan: try planner.plan(graph))
  }

  /// The first way on the ladder whose arena, with what is in memory of files, is no larger than `limit`.
  ///
  /// The ladder does not depend on the limit, and halving it takes a path that only turns to less work where the limit
  /// allows it: a larger limit never leads to more.
  /// - Throws: `ArenaLimitError` where none is small enough.
  func smallestWork(within limit: Int) throws -> Candidate {
    var best = try candidate(0)
    if best.plan.residentBytes <= limit { return best }
    best = try candidate(count - 1)
    guard best.plan.residentBytes <= limit else {
      throw ArenaLimitError(limit: limit, smallest: best.plan.residentBytes)
    }
    var (tooLarge, fits) = (0, count - 1)
    while fits - tooLarge > 1 {
      let middle = (tooLarge + fits) / 2
      let candidate = try candidate(middle)
      if candidate.plan.residentBytes <= limit {
        (best, fits) = (candidate, middle)
      } else {
        tooLarge = middle
      }
    }
    return best
  }
}
