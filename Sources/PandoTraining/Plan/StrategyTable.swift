import Pando

/// What one way of spreading a recipe needs and takes.
public struct StrategyForecast: Sendable, Codable {
  /// The way: `data 2 · tensor 2`.
  public let name: String
  /// How a recipe says it, as `--set` takes it.
  public let setting: String
  /// Why it does not go; `nil` where it does. It then has no figures.
  public let obstacle: String?
  /// Whether all ranks fit into the machine's memory together.
  public let fits: Bool
  /// Planned bytes of the rank that needs the most.
  public let peakMemoryBytes: Int?
  /// Bytes that the system will count for it, and for all ranks together.
  public let residentBytes: Int?, hostResidentBytes: Int?
  /// Seconds of a step, and how many of them a rank does nothing but exchange or wait.
  public let stepSeconds: Double?, exchangeSeconds: Double?
  /// Bytes that a rank sends in a step, at the most.
  public let sentBytesPerStep: Double?
  /// The recipe's keys.
  let parallel: Recipe.Parallel?

  enum CodingKeys: String, CodingKey {
    case name, setting, obstacle, fits
    case peakMemoryBytes = "peak_memory_bytes"
    case residentBytes = "resident_bytes"
    case hostResidentBytes = "host_resident_bytes"
    case stepSeconds = "step_seconds"
    case exchangeSeconds = "exchange_seconds"
    case sentBytesPerStep = "sent_bytes_per_step"
  }

  /// Reads the figures; the keys stay as text.
  public init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: CodingKeys.self)
    name = try keys.decode(String.self, forKey: .name)
    setting = try keys.decode(String.self, forKey: .setting)
    obstacle = try keys.decodeIfPresent(String.self, forKey: .obstacle)
    fits = try keys.decode(Bool.self, forKey: .fits)
    peakMemoryBytes = try keys.decodeIfPresent(Int.self, forKey: .peakMemoryBytes)
    residentBytes = try keys.decodeIfPresent(Int.self, forKey: .residentBytes)
    hostResidentBytes = try keys.decodeIfPresent(Int.self, forKey: .hostResidentBytes)
    stepSeconds = try keys.decodeIfPresent(Double.self, forKey: .stepSeconds)
    exchangeSeconds = try keys.decodeIfPresent(Double.self, forKey: .exchangeSeconds)
    sentBytesPerStep = try keys.decodeIfPresent(Double.self, forKey: .sentBytesPerStep)
    parallel = nil
  }

  init(_ candidate: StrategyCandidate, _ plan: RanksPlan, processBytes: Int, on machine: PlanMachine) {
    (name, setting, parallel) = (candidate.name, candidate.parallel.override, candidate.parallel)
    obstacle = nil
    let plans = (0..<plan.ranks).map { plan.plan(of: $0).plannedBytes }
    peakMemoryBytes = plans.max()
    // What this process has become by looking at other ways is none of this one's.
    let resident = (0..<plan.ranks).map {
      plan.residentBytes(of: $0, link: machine.link) - plan.processBytes + processBytes
    }
    residentBytes = resident.max()
    let host = resident.reduce(0, +)
    hostResidentBytes = host
    fits = host <= machine.memoryBytes
    let time = plan.stepTime(on: machine)
    (stepSeconds, exchangeSeconds) = (time.seconds, time.exchange)
    sentBytesPerStep = plan.exchanges.reduce(0) { $0 + $1.sentBytes }
  }

  init(_ candidate: StrategyCandidate, obstacle: String) {
    (name, setting, parallel) = (candidate.name, candidate.parallel.override, candidate.parallel)
    (self.obstacle, fits) = (obstacle, false)
    (peakMemoryBytes, residentBytes, hostResidentBytes) = (nil, nil, nil)
    (stepSeconds, exchangeSeconds, sentBytesPerStep) = (nil, nil, nil)
  }
}

/// All ways of spreading a recipe over so many ranks, each with what it needs and takes: programs are compiled, nothing is
/// run.
public struct StrategyTable: Sendable {
  /// What comes out, in the order in which candidates are listed.
  public let rows: [StrategyForecast]

  /// - Parameters:
  ///   - device: where each rank would compute, with its threads.
  ///   - progress: told the way that is looked at, and how many of how many are done.
  /// - Throws: only what no way could mend; one that does not go is a row that says why.
  public init(
    _ recipe: Recipe, task: TrainingTask, device: Device, ranks: Int, on machine: PlanMachine,
    progress: (String, Int, Int) -> Void = { _, _, _ in }
  ) throws {
    let candidates = StrategyCandidate.all(recipe, ranks: ranks)
    var rows: [StrategyForecast] = []
    var processBytes: Int?
    for (place, candidate) in candidates.enumerated() {
      progress(candidate.name, place, candidates.count)
      do {
        let plan = try RanksPlan(candidate.applied(to: recipe), task: task, device: device, ranks: ranks)
        if processBytes == nil { processBytes = plan.processBytes }
        rows.append(
          StrategyForecast(candidate, plan, processBytes: processBytes ?? plan.processBytes, on: machine))
      } catch let error as RecipeError {
        rows.append(StrategyForecast(candidate, obstacle: error.description))
      } catch let error as ShardingError {
        rows.append(StrategyForecast(candidate, obstacle: error.description))
      } catch let error as TypeError {
        rows.append(StrategyForecast(candidate, obstacle: error.description))
      } catch let error as EngineError {
        rows.append(StrategyForecast(candidate, obstacle: error.description))
      }
    }
    self.rows = rows
  }

  /// The fastest way that fits into memory; of equals the one that needs less, and then the one that is listed first.
  public var best: StrategyForecast? {
    rows.filter(\.fits).min {
      ($0.stepSeconds ?? .infinity, $0.hostResidentBytes ?? .max)
        < ($1.stepSeconds ?? .infinity, $1.hostResidentBytes ?? .max)
    }
  }

  /// The recipe as the best way spreads it, and a line that says why.
  ///
  /// - Throws: `RecipeError` with the obstacle of the first way, where none goes or none fits.
  public func resolved(_ recipe: Recipe) throws -> (recipe: Recipe, reason: String) {
    guard let best, let parallel = best.parallel, let seconds = best.stepSeconds,
      let peak = best.peakMemoryBytes
    else {
      let obstacle = rows.lazy.compactMap(\.obstacle).first ?? "the ranks do not fit into memory together"
      throw RecipeError(
        keyPath: "parallel",
        message: "auto finds no way that goes: \(obstacle); use fewer ranks, or a smaller batch")
    }
    var recipe = recipe
    recipe.parallel = parallel
    let going = rows.filter { $0.obstacle == nil }.count
    return (
      recipe,
      "parallel auto: \(best.name), about \(Figures.quantity(seconds, "s")) a step and \(Figures.bytes(peak)) a rank, "
        + "the fastest of \(going) way\(going == 1 ? "" : "s") that go"
    )
  }

  /// The way nearest to one that does not go, of those that do.
  ///
  /// - Returns: `nil` where none goes.
  public static func nearest(
    to recipe: Recipe, task: TrainingTask, device: Device, ranks: Int
  ) -> StrategyCandidate? {
    let all = StrategyCandidate.all(recipe, ranks: ranks)
    let sorted = all.enumerated().sorted {
      ($0.element.distance(to: recipe.parallel), $0.offset) < (
        $1.element.distance(to: recipe.parallel), $1.offset
      )
    }.map(\.element)
    return sorted.first { candidate in
      candidate.parallel != recipe.parallel
        && (try? RanksPlan(candidate.applied(to: recipe), task: task, device: device, ranks: ranks)) != nil
    }
  }
}
