import Pando

/// What a run on several ranks will need and take, before anything of it has run: a forecast of the first rank, with what
/// belongs to all of them.
public struct RanksForecast: Sendable, Encodable {
  /// What one rank needs.
  public struct Rank: Sendable, Encodable {
    /// Its number.
    public let rank: Int
    /// Its stage in a pipeline.
    public let stage: Int?
    /// Planned bytes at the highest.
    public let peakMemoryBytes: Int
    /// Bytes of parameters and optimizer tensors that it keeps from step to step.
    public let stateBytes: Int
    /// The same with gradients, and what passes beside, at the highest; absent where several programs make a step.
    public let statePeakBytes: Int?
    /// Bytes that the system will count for its process.
    public let residentBytes: Int

    enum CodingKeys: String, CodingKey {
      case rank, stage
      case peakMemoryBytes = "peak_memory_bytes"
      case stateBytes = "state_bytes"
      case statePeakBytes = "state_peak_bytes"
      case residentBytes = "resident_bytes"
    }
  }

  /// The forecast of the first rank; its times, operations and energy are those of all ranks.
  public let first: RunForecast
  /// How many ranks, and threads of each.
  public let ranks: Int, threads: Int
  /// How the run is spread.
  public let strategy: String
  /// Each rank.
  public let perRank: [Rank]
  /// A step's computing, and what of its exchanges is not hidden.
  public let time: StepTime
  /// What a rank exchanges in a step; of the rank that sends the most.
  public let exchanges: [StepExchange]
  /// All ways of spreading the recipe; empty where they were not asked for.
  public var strategies: [StrategyForecast] = []

  /// Planned bytes of all ranks, which share a host.
  public var hostPeakBytes: Int { perRank.reduce(0) { $0 + $1.peakMemoryBytes } }
  /// Resident bytes of all ranks.
  public var hostResidentBytes: Int { perRank.reduce(0) { $0 + $1.residentBytes } }
  /// Bytes that a rank sends in a step, at the most.
  public var sentBytesPerStep: Double { exchanges.reduce(0) { $0 + $1.sentBytes } }

  /// The forecast of planned ranks.
  ///
  /// - Parameters:
  ///   - evaluates: whether the run looks at held samples.
  ///   - points: about how many ways of computing again are looked at.
  public init(_ plan: RanksPlan, on machine: PlanMachine, evaluates: Bool = true, points: Int = 12) throws {
    time = plan.stepTime(on: machine)
    (ranks, threads, exchanges) = (plan.ranks, plan.threads, plan.exchanges)
    strategy = plan.first.state.parallelism?.strategy.description ?? plan.recipe.parallel.strategyName
    perRank = (0..<plan.ranks).map { rank in
      let own = plan.plan(of: rank)
      return Rank(
        rank: rank, stage: plan.stage(of: rank), peakMemoryBytes: own.plannedBytes,
        stateBytes: own.parameterBytes + own.optimizerBytes, statePeakBytes: own.statePeakBytes,
        residentBytes: plan.residentBytes(of: rank, link: machine.link, evaluates: evaluates))
    }
    first = try RunForecast(plan, time: time, on: machine, evaluates: evaluates, points: points)
  }

  private enum CodingKeys: String, CodingKey {
    case ranks, threads, strategy, exchanges, strategies
    case perRank = "per_rank"
    case computeSeconds = "compute_seconds"
    case exchangeSeconds = "exchange_seconds"
    case sentBytesPerStep = "sent_bytes_per_step"
    case hostPeakBytes = "host_peak_memory_bytes"
    case hostResidentBytes = "host_resident_bytes"
  }

  /// The first rank's keys, and beside them those of all ranks.
  public func encode(to encoder: any Encoder) throws {
    try first.encode(to: encoder)
    var keys = encoder.container(keyedBy: CodingKeys.self)
    try keys.encode(ranks, forKey: .ranks)
    try keys.encode(threads, forKey: .threads)
    try keys.encode(strategy, forKey: .strategy)
    try keys.encode(exchanges, forKey: .exchanges)
    try keys.encode(strategies, forKey: .strategies)
    try keys.encode(perRank, forKey: .perRank)
    try keys.encode(time.compute, forKey: .computeSeconds)
    try keys.encode(time.exchange, forKey: .exchangeSeconds)
    try keys.encode(sentBytesPerStep, forKey: .sentBytesPerStep)
    try keys.encode(hostPeakBytes, forKey: .hostPeakBytes)
    try keys.encode(hostResidentBytes, forKey: .hostResidentBytes)
  }
}
