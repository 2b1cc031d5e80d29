import Foundation
import Pando

/// Measures a workload's training step on this machine.
public struct WorkloadBenchmark: Sendable {
  /// What was measured.
  public struct Result: Sendable, Codable {
    /// The workload: `mlp`, `resnet18`, `gpt`.
    public let name: String
    /// `float32` or `bf16`.
    public let precision: String
    /// Threads used.
    public let threads: Int
    /// Samples in a step.
    public let batch: Int
    /// Median and shortest time of a step, optimizer included, in milliseconds.
    public let stepMs: Double, stepMsMin: Double
    /// Billions of floating-point operations each second, by the graph's count.
    public let gflops: Double
    /// The same for a large matrix product on this machine, now.
    public let matmulLimitGflops: Double
    /// Bytes of weights, optimizer, batches and arenas, as planned and as used.
    public let plannedMemoryBytes: Int, peakMemoryBytes: Int
    /// The process's resident memory at its highest, by the operating system.
    public let residentBytes: Int
    /// From the start of the process to the end of the first step, in seconds.
    public let firstStepS: Double

    enum CodingKeys: String, CodingKey {
      case name, precision, threads, batch, gflops
      case stepMs = "step_ms"
      case stepMsMin = "step_ms_min"
      case matmulLimitGflops = "matmul_limit_gflops"
      case plannedMemoryBytes = "planned_memory_bytes"
      case peakMemoryBytes = "peak_memory_bytes"
      case residentBytes = "resident_bytes"
      case firstStepS = "first_step_s"
    }
  }

  private let workload: Workload
  private let batch: Int
  private let steps: Int
  private let precision: Recipe.Precision
  private let device: Device

  /// A measurement of `workload`; batch and number of steps are the workload's own unless given.
  public init(
    _ workload: Workload, batch: Int? = nil, steps: Int? = nil, precision: Recipe.Precision = .float32,
    device: Device
  ) {
    self.workload = workload
    self.batch = batch ?? workload.batch
    self.steps = max(1, steps ?? workload.steps)
    self.precision = precision
    self.device = device
  }

  /// Runs the steps.
  ///
  /// - Parameter matmulLimit: what `matmulGflops` has measured.
  public func run(matmulLimit: () throws -> Double, progress: (Int, Int) -> Void = { _, _ in }) throws
    -> Result
  {
    let task = try workload.task(batch: batch)
    let recipe = workload.recipe(batch: batch, precision: precision, threads: device.threads)
    let run = try TrainingRun(recipe, task: task, device: device)
    let feeds = try run.program.slices.map { slice in
      let first = try BatchFeed(task, recipe, slice, step: 0, samples: run.samplesPerStep)
      let (x, y) = try first.next()
      return BatchFeed(repeating: x.copy(), y.copy())
    }
    var index = 0
    func step() throws -> Double {
      let start = ContinuousClock.now
      _ = try run.program.run(index, seed: 1, rate: 1e-4, feeds: feeds)
      index += 1
      return start.duration(to: .now) / .milliseconds(1)
    }
    _ = try step()
    let firstStep = ProcessFigures.secondsSinceStart
    for _ in 0..<min(3, steps) { _ = try step() }
    var times: [Double] = []
    for number in 0..<steps {
      times.append(try step())
      progress(number + 1, steps)
    }
    times.sort()
    let median = times[times.count / 2]
    let plan = run.plan
    let resident = ProcessFigures.peakResidentBytes
    return Result(
      name: workload.rawValue, precision: precision.rawValue, threads: device.threads, batch: batch,
      stepMs: median,
      stepMsMin: times[0], gflops: Double(run.flopsPerStep) / median / 1e6,
      matmulLimitGflops: try matmulLimit(),
      plannedMemoryBytes: plan.plannedBytes, peakMemoryBytes: plan.measuredBytes, residentBytes: resident,
      firstStepS: firstStep)
  }

  /// Billions of floating-point operations each second in a product of two matrices of 2048×2048: the best of several.
  public static func matmulGflops(on device: Device) throws -> Double {
    let size = 2048
    let (a, b) = (
      Tensor.placeholder("a", TensorType([size, size])), Tensor.placeholder("b", TensorType([size, size]))
    )
    let program = try Program([matmul(a, b)], inputs: [a, b], on: device)
    let buffers = (0..<3).map { _ in
      HostBuffer(TensorType([size, size]), doubles: (0..<size * size).map { Double($0 % 17) - 8 })
    }
    program.bind([buffers[0], buffers[1]], into: [buffers[2]])
    var best = Double.infinity
    for _ in 0..<6 {
      let start = ContinuousClock.now
      try program.run()
      best = min(best, start.duration(to: .now) / .seconds(1))
    }
    return 2 * Double(size) * Double(size) * Double(size) / best / 1e9
  }
}
