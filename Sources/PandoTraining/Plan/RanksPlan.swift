import Foundation
import Pando

/// The run of a recipe on several ranks, planned in one process: each rank's own programs are compiled as it would compile
/// them, and nothing is exchanged. Ranks whose programs are alike share one plan.
public final class RanksPlan {
  /// What is planned, with its strategy resolved.
  public let recipe: Recipe
  /// How many ranks.
  public let ranks: Int
  /// Threads of each.
  public let threads: Int
  /// A rank's run of each kind.
  let runs: [TrainingRun]
  /// For each rank the place of its kind in `runs`.
  let kinds: [Int]
  /// What this process took by itself when the first was compiled.
  let processBytes: Int

  /// - Parameters:
  ///   - device: where each rank would compute, with its threads.
  ///   - ranks: how many; at least 1.
  /// - Throws: as `TrainingRun.init`.
  public init(_ recipe: Recipe, task: TrainingTask, device: Device, ranks: Int) throws {
    self.recipe = recipe
    self.ranks = ranks
    threads = device.threads
    // Ranks go by rule and by round figures, so that all compile the same.
    var device = device.with(methods: nil)
    device.ceilings = Ceilings()
    let keys = try (0..<ranks).map { try Self.kind(of: $0, recipe, ranks: ranks) }
    var places: [[Int]: Int] = [:]
    var runs: [TrainingRun] = []
    var processBytes = 0
    for (rank, key) in keys.enumerated() where places[key] == nil {
      places[key] = runs.count
      let run = try TrainingRun(
        recipe, task: task, device: device, ranks: Self.ranks(rank, of: ranks), isPlan: true)
      runs.append(run)
      if rank == 0 {
        // Sums of gradients have their memory already, and are counted with the plan.
        processBytes = max(0, ProcessFigures.residentBytes - run.plan.accumulationBytes)
      }
    }
    self.runs = runs
    self.processBytes = processBytes
    kinds = keys.map { places[$0]! }
  }

  static func ranks(_ rank: Int, of count: Int) -> Ranks { Ranks(PlannedCommunicator(rank: rank, of: count)) }

  /// What tells the programs of ranks apart: the stage, or how many samples a rank takes.
  private static func kind(of rank: Int, _ recipe: Recipe, ranks: Int) throws -> [Int] {
    let mesh = try recipe.mesh(ranks: ranks)
    if recipe.isSpread {
      let stages = mesh.size(of: PipelineStage.axis) ?? 1
      return [stages > 1 ? mesh.index(of: rank, along: [PipelineStage.axis]) : 0]
    }
    // The parts of a reproducible step are each rank's own; and what a copy of the state leaves of a limit.
    if recipe.reproducible || recipe.train.memory != nil { return [rank] }
    return [RankShare(of: recipe.data.batch, Self.ranks(rank, of: ranks)).range.count]
  }

  /// The memory plan of a rank.
  public func plan(of rank: Int) -> RunPlan {
    RunPlan(runs[kinds[rank]], ranks: Self.ranks(rank, of: ranks))
  }

  /// Bytes that the operating system will count for a rank: its plan, the program, and what it takes to be a rank.
  public func residentBytes(of rank: Int, link: LinkTimes, evaluates: Bool = true) -> Int {
    let plan = plan(of: rank)
    return processBytes + (ranks > 1 ? link.processBytes : 0) + runs[kinds[rank]].sharedBytes
      + plan.plannedBytes
      - (evaluates ? 0 : plan.evaluationArenaBytes)
  }

  /// About how long a step takes: that of the slowest rank.
  public func stepTime(on machine: PlanMachine) -> StepTime {
    let clock = StepClock(
      machine: machine, hides: machine.hidesExchanges(ranks: ranks, threads: threads))
    let stages = runs.compactMap { $0.program as? PipelineStep }
    let crowding = machine.crowding(ranks: ranks, threads: threads)
    guard stages.count == runs.count, let order = stages.first?.order, stages.count == order.stages else {
      let times = runs.map { clock.time(of: $0.program) }
      return (times.max { $0.seconds < $1.seconds } ?? StepTime()) * crowding
    }
    let time = clock.time(of: stages)
    guard crowding > 1 else { return time }
    // Stages that wait leave their core to the others, so that all cores are busy all the time.
    let works = stages.map { clock.time(of: $0) }
    let mean = works.reduce(StepTime()) { $0 + $1 } * (1 / Double(stages.count))
    let crowded = mean * crowding
    return crowded.seconds > time.seconds ? crowded : time
  }

  /// All exchanges of a step, by the first rank of the kind that sends the most.
  public var exchanges: [StepExchange] {
    let all = runs.map(\.program.allExchanges)
    func sent(_ exchanges: [StepExchange]) -> Double { exchanges.reduce(0) { $0 + $1.sentBytes } }
    return all.max { sent($0) < sent($1) } ?? []
  }

  /// Floating-point operations of a step on all ranks together, with what is computed again.
  var flopsPerStep: Int {
    kinds.reduce(0) { total, kind in
      runs[kind].program.phases.reduce(total) {
        $0 + $1.runs * $1.copies * $1.program.compiledGraph.cost.flops
      }
    }
  }

  /// The stage of a rank; `nil` where there is no pipeline.
  func stage(of rank: Int) -> Int? { runs[kinds[rank]].state.parallelism?.stage?.number }

  /// What lies in the first rank's arena over a step, as a picture.
  public func timelineSVG() -> String { first.timelineSVG() }

  /// The first rank's run.
  var first: TrainingRun { runs[kinds[0]] }
}

extension TrainingRun {
  /// Bytes of memory that this rank shares with others of its host to exchange through: two slots and a flag for each
  /// rank of each group (see `SharedExchange`).
  var sharedBytes: Int {
    guard ranks.count > 1 else { return 0 }
    var groups: [[String]: Int] = [:]
    for exchange in program.allExchanges { groups[exchange.axes] = exchange.ranks }
    return groups.values.reduce(ranks.count, +) * (128 << 10)
  }
}
