import Foundation
import Pando
import PandoEnergy

/// What a run will need and take, before anything of it has run.
public struct RunForecast: Sendable, Codable {
  /// Bytes of one purpose.
  public struct Part: Sendable, Codable {
    /// What they are for.
    public let name: String
    /// How many.
    public let bytes: Int
  }

  /// Something that lives in the arena at the moment at which it is fullest.
  public struct Living: Sendable, Codable {
    /// The operation that made it.
    public let name: String
    /// Its type, or `workspace`.
    public let type: String
    /// Its bytes.
    public let bytes: Int
    /// How many there are that look the same.
    public let count: Int
  }

  /// A way of computing again: what it needs and takes.
  public struct Point: Sendable, Codable {
    /// Bytes of the whole run.
    public let memoryBytes: Int
    /// Seconds of a step.
    public let stepSeconds: Double

    enum CodingKeys: String, CodingKey {
      case memoryBytes = "memory_bytes"
      case stepSeconds = "step_seconds"
    }
  }

  /// The run's name.
  public let name: String
  /// Trained elements.
  public let parameters: Int
  /// Floating-point operations of one step, with what is computed again.
  public let flopsPerStep: Int
  /// Bytes of the run at its highest.
  public let peakMemoryBytes: Int
  /// The same by purpose.
  public let memory: [Part]
  /// What the operating system will count for the process: the run, the program and its libraries.
  public let residentBytes: Int
  /// Bytes in files in place of memory, which do not count above.
  public let offloadedBytes: Int
  /// What lives in the step's arena when it is fullest, largest first.
  public let alive: [Living]
  /// Seconds of a step and of a pass over the training samples, without reading data and evaluation.
  public let stepSeconds: Double, epochSeconds: Double
  /// The energy of a step by a model of the processor, and how far off that may be, in joules.
  public let joulesPerStep: Double, joulesPerStepError: Double
  /// Steps of the run.
  public let steps: Int
  /// Whether the times rest on measurements of this machine; otherwise on round figures.
  public let isCalibrated: Bool
  /// Ways of computing again of which none is better in both, largest first.
  public let pareto: [Point]

  enum CodingKeys: String, CodingKey {
    case name, parameters, memory, alive, steps, pareto
    case flopsPerStep = "flops_per_step"
    case peakMemoryBytes = "peak_memory_bytes"
    case residentBytes = "resident_bytes"
    case offloadedBytes = "offloaded_bytes"
    case stepSeconds = "step_seconds"
    case epochSeconds = "epoch_seconds"
    case joulesPerStep = "joules_per_step"
    case joulesPerStepError = "joules_per_step_error"
    case isCalibrated = "is_calibrated"
  }

  /// The forecast of a run that was made to be planned.
  ///
  /// - Parameters:
  ///   - isCalibrated: whether the device's ceilings were measured.
  ///   - evaluates: whether the run looks at held samples; a workload of `pando bench` is steps alone.
  ///   - points: about how many ways of computing again are looked at.
  public init(_ run: TrainingRun, isCalibrated: Bool, evaluates: Bool = true, points: Int = 12) throws {
    // First, since looking at other ways takes memory that the run will not. Sums have their memory already.
    let process = ProcessFigures.residentBytes - run.plan.accumulationBytes
    let phases = run.program.phases
    try self.init(
      run, residentBytes: process + run.plan.plannedBytes - (evaluates ? 0 : run.plan.evaluationArenaBytes),
      flops: phases.reduce(0) { $0 + $1.runs * $1.copies * $1.program.compiledGraph.cost.flops },
      seconds: phases.reduce(0) { $0 + Double($1.runs) * $1.program.estimatedSeconds },
      busyThreads: run.device.threads, isCalibrated: isCalibrated, points: points)
  }

  /// The forecast of the first of several ranks, but for what a step takes, which is that of all of them.
  ///
  /// - Parameters:
  ///   - time: seconds of a step.
  ///   - evaluates, points: as in `init(_:isCalibrated:evaluates:points:)`.
  init(
    _ ranks: RanksPlan, time: StepTime, on machine: PlanMachine, evaluates: Bool, points: Int
  ) throws {
    try self.init(
      ranks.first, residentBytes: ranks.residentBytes(of: 0, link: machine.link, evaluates: evaluates),
      flops: ranks.flopsPerStep, seconds: time.seconds,
      busyThreads: min(machine.cores, ranks.ranks * ranks.threads), isCalibrated: machine.isCalibrated,
      points: points)
  }

  private init(
    _ run: TrainingRun, residentBytes: Int, flops: Int, seconds: Double, busyThreads: Int, isCalibrated: Bool,
    points: Int
  ) throws {
    let plan = run.plan
    let phases = run.program.phases
    name = run.recipe.name
    parameters = run.parameterCount
    flopsPerStep = flops
    peakMemoryBytes = plan.plannedBytes
    memory = plan.parts.map { Part(name: $0.name, bytes: $0.bytes) }
    self.residentBytes = residentBytes
    offloadedBytes = plan.offloadedBytes
    self.isCalibrated = isCalibrated
    steps = run.totalSteps
    stepSeconds = seconds
    epochSeconds = stepSeconds * Double(max(1, run.task.training.count / run.samplesPerStep))
    let energy = ProcessorModel(wattsPerCore: run.recipe.energy.wattsPerCore)
      .energy(seconds: stepSeconds, busyThreads: Double(busyThreads))
    (joulesPerStep, joulesPerStepError) = (energy.joules, energy.error)
    alive = Self.alive(phases[0].program.timeline)
    pareto = try Self.pareto(
      phases[0], points, otherBytes: plan.plannedBytes, stepSeconds: stepSeconds)
  }

  private static func alive(_ timeline: MemoryTimeline) -> [Living] {
    guard let peak = timeline.peak else { return [] }
    struct Kind: Hashable { let name, type: String }
    var counts: [Kind: (bytes: Int, count: Int)] = [:]
    for stretch in timeline.alive(at: peak) {
      let kind = Kind(name: stretch.name, type: stretch.type)
      counts[kind, default: (0, 0)].bytes += stretch.bytes
      counts[kind]!.count += 1
    }
    return counts.map { Living(name: $0.name, type: $0.type, bytes: $1.bytes, count: $1.count) }
      .sorted { ($1.bytes, $0.name, $0.type) < ($0.bytes, $1.name, $1.type) }
  }

  private static func pareto(
    _ phase: StepPhase, _ count: Int, otherBytes: Int, stepSeconds: Double
  ) throws -> [Point] {
    let own = phase.copies * phase.program.memory.workingBytes
    // What the rest of a step takes stays; of several ranks the program's own time is reckoned otherwise, and scaled.
    let program = Double(phase.runs) * phase.program.estimatedSeconds
    let rest = max(0, stepSeconds - program)
    let scale = program > 0 ? (stepSeconds - rest) / program : 1
    let points = try phase.program.recomputations(count: count).map { point in
      Point(
        memoryBytes: otherBytes - own + phase.copies * point.arenaBytes,
        stepSeconds: rest + scale * Double(phase.runs) * point.seconds)
    }
    return points.filter { point in
      !points.contains {
        ($0.memoryBytes < point.memoryBytes && $0.stepSeconds <= point.stepSeconds)
          || ($0.memoryBytes <= point.memoryBytes && $0.stepSeconds < point.stepSeconds)
      }
    }.sorted { $0.memoryBytes > $1.memoryBytes }
  }
}

/// A program of a step: how often a step runs it one after another, and how many of its kind run at once.
struct StepPhase {
  let program: Program
  let runs: Int
  var copies = 1
}
