import Pando

/// Where a workload's time goes: every kernel of its compiled programs, with its time and what the machine could do.
public struct PlanExplanation: Sendable, Codable {
  /// A kernel.
  public struct Kernel: Sendable, Codable {
    /// What it does, to what.
    public let kernel: KernelDescription
    /// Its place in the schedule, counted over the step's programs.
    public let place: Int
    /// Median time of one execution, in milliseconds.
    public let ms: Double
    /// The least time that the machine's limits allow, for the arithmetic or for the memory traffic, in milliseconds.
    public let limitMs: Double
    /// What the cost model says, in milliseconds.
    public let predictedMs: Double

    /// Billions of floating-point operations each second.
    public var gflops: Double { ms > 0 ? Double(kernel.flops) / ms / 1e6 : 0 }
    /// Billions of bytes each second, were every operand read and every result written once.
    public var gigabytesPerSecond: Double { ms > 0 ? Double(kernel.bytes) / ms / 1e6 : 0 }
    /// The least time over the time. It may exceed 1 where caches hold the operands.
    public var share: Double { ms > 0 ? limitMs / ms : 0 }
  }

  /// Kernels that are alike, or of one kind, taken together.
  public struct Group: Sendable, Codable {
    /// What they have in common.
    public let name: String
    /// How many there are.
    public let count: Int
    /// Times of all of them, in milliseconds: taken, and least by the machine's limits, and as the cost model says.
    public let ms: Double, limitMs: Double, predictedMs: Double
    /// Work of all of them.
    public let flops: Int, bytes: Int

    init(_ name: String, _ kernels: [Kernel]) {
      self.name = name
      count = kernels.count
      ms = kernels.reduce(0) { $0 + $1.ms }
      limitMs = kernels.reduce(0) { $0 + $1.limitMs }
      predictedMs = kernels.reduce(0) { $0 + $1.predictedMs }
      flops = kernels.reduce(0) { $0 + $1.kernel.flops }
      bytes = kernels.reduce(0) { $0 + $1.kernel.bytes }
    }
  }

  /// The workload, and how it ran.
  public let name: String, precision: String
  /// Threads and samples in a step.
  public let threads: Int, batch: Int
  /// Steps of which the times are medians.
  public let steps: Int
  /// Median time of a step while no times of kernels are taken, in milliseconds.
  public let stepMs: Double
  /// What the machine can do.
  public let limits: MachineLimits
  /// Every kernel, the slowest first.
  public let kernels: [Kernel]

  /// Runs `steps` steps without and `steps` with taking times.
  ///
  /// - Parameter steps: by default the workload's own number, at most 20.
  public init(_ ready: PreparedWorkload, steps: Int? = nil) throws {
    let steps = max(1, steps ?? min(20, ready.workload.steps))
    let programs = ready.programs.map { program in program.compiledGraph.nodes.map(KernelDescription.init) }
    for _ in 0..<min(3, steps) { try ready.run() }
    let stepTimes = try (0..<steps).map { _ in try ready.run() }
    var times = programs.map { $0.map { _ in [Double]() } }
    let places = Dictionary(
      uniqueKeysWithValues: ready.programs.enumerated().map { (ObjectIdentifier($0.element), $0.offset) })
    for _ in 0..<steps {
      try ready.run { program, time in
        let milliseconds = time.start.duration(to: time.end) / .milliseconds(1)
        times[places[ObjectIdentifier(program)]!][time.node].append(milliseconds)
      }
    }
    let used = programs.joined().compactMap { DType(rawValue: $0.dtype) }.filter(\.isFloatingPoint)
    let products = programs.joined().filter { $0.flops > 0 }.compactMap { DType(rawValue: $0.dtype) }
    let limits = try MachineLimits(
      of: ready.device, dtypes: Set(used).intersection(products).subtracting([.float64]).union([.float32]))
    var kernels: [Kernel] = []
    var place = 0
    for (index, program) in ready.programs.enumerated() {
      let footprint = program.memory.plannedPeakBytes
      let nodes = program.compiledGraph.nodes
      for (node, (description, times)) in zip(nodes, zip(programs[index], times[index]))
      where !times.isEmpty {
        kernels.append(
          Kernel(
            kernel: description, place: place, ms: Self.median(times),
            limitMs: limits.milliseconds(
              flops: description.flops, description.dtype, bytes: description.bytes),
            predictedMs: ready.device.ceilings.seconds(of: node, footprint: footprint) * 1e3)
        )
        place += 1
      }
    }
    name = ready.workload.name
    precision = ready.precision.rawValue
    (threads, batch) = (ready.device.threads, ready.workload.batch)
    (self.steps, stepMs, self.limits) = (steps, Self.median(stepTimes), limits)
    self.kernels = kernels.sorted { ($0.ms, $1.place) > ($1.ms, $0.place) }
  }

  /// Kernels of one kind, operand types and result types together; the slowest group first.
  public var alike: [Group] { groups { $0.description } }

  /// Kernels of one kind together; the slowest first.
  public var kinds: [Group] { groups { $0.kind } }

  private func groups(_ name: (KernelDescription) -> String) -> [Group] {
    Dictionary(grouping: kernels) { name($0.kernel) }.map { Group($0.key, $0.value) }
      .sorted { ($0.ms, $1.name) > ($1.ms, $0.name) }
  }

  private static func median(_ times: [Double]) -> Double { times.sorted()[times.count / 2] }
}

extension MachineLimits {
  /// The least time for some work, in milliseconds: arithmetic and memory traffic can overlap. Types whose products
  /// were not measured go by float32.
  func milliseconds(flops: Int, _ dtype: String, bytes: Int) -> Double {
    let speed = gflops[dtype] ?? gflops[DType.float32.rawValue] ?? .infinity
    return max(Double(flops) / speed, Double(bytes) / gigabytesPerSecond) / 1e6
  }
}
