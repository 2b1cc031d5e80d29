import Foundation
import Pando
import PandoEnergy

/// Measures a workload's steps on this machine.
public struct WorkloadBenchmark {
  /// What was measured.
  public struct Result: Sendable, Codable {
    /// The workload: `mlp`, `resnet18`, `gpt`, `gpt-1`.
    public let name: String
    /// `training` or `inference`.
    public let mode: String
    /// `float32` or `bf16`.
    public let precision: String
    /// Threads used.
    public let threads: Int
    /// Samples in a step.
    public let batch: Int
    /// Median and shortest time of a step in milliseconds; of training with the optimizer.
    public let stepMs: Double, stepMsMin: Double
    /// What the cost model says of a step, by what the device is said to be able to do; in milliseconds.
    public let predictedMs: Double
    /// Whether that rests on measurements of this machine; otherwise on round figures.
    public let isCalibrated: Bool
    /// Billions of floating-point operations each second, by the graph's count.
    public let gflops: Double
    /// The same for a large matrix product in this precision on this machine, now.
    public let matmulLimitGflops: Double
    /// Bytes of weights, optimizer, batches and arenas, as planned and as used.
    public let plannedMemoryBytes: Int, peakMemoryBytes: Int
    /// The process's resident memory at its highest, by the operating system.
    public let residentBytes: Int
    /// From the start of the process to the end of the first step, in seconds.
    public let firstStepS: Double
    /// Microseconds that a compiled function takes which only adds two numbers, now.
    public let emptyStepUs: Double
    /// Energy of a step, with its error, plus or minus; the mean over all measured steps.
    public let joulesPerStep: Double, joulesPerStepError: Double
    /// Whether that was measured or is a model.
    public let energyMethod: EnergyMethod
    /// Grams of CO₂ equivalent that this stands for.
    public let co2GramsPerStep: Double

    enum CodingKeys: String, CodingKey {
      case name, mode, precision, threads, batch, gflops
      case stepMs = "step_ms"
      case stepMsMin = "step_ms_min"
      case predictedMs = "predicted_ms"
      case isCalibrated = "is_calibrated"
      case matmulLimitGflops = "matmul_limit_gflops"
      case plannedMemoryBytes = "planned_memory_bytes"
      case peakMemoryBytes = "peak_memory_bytes"
      case residentBytes = "resident_bytes"
      case firstStepS = "first_step_s"
      case emptyStepUs = "empty_step_us"
      case joulesPerStep = "joules_per_step"
      case joulesPerStepError = "joules_per_step_error"
      case energyMethod = "energy_method"
      case co2GramsPerStep = "co2_grams_per_step"
    }
  }

  private let workload: Workload
  private let steps: Int
  private let precision: Recipe.Precision
  private let device: Device
  private let intensity: CarbonIntensity
  private let isCalibrated: Bool

  /// A measurement of `workload`; the number of steps is the workload's own unless given.
  ///
  /// - Parameters:
  ///   - intensity: of the electricity.
  ///   - isCalibrated: whether the device's ceilings were measured.
  public init(
    _ workload: Workload, steps: Int? = nil, precision: Recipe.Precision = .float32, device: Device,
    intensity: CarbonIntensity = .world, isCalibrated: Bool = false
  ) {
    self.intensity = intensity
    self.workload = workload
    self.steps = max(1, steps ?? workload.steps)
    self.precision = precision
    self.device = device
    self.isCalibrated = isCalibrated
  }

  /// Runs the steps.
  ///
  /// - Parameter progress: is told of each measured step, and of how many there are.
  public func run(progress: (Int, Int) -> Void = { _, _ in }) throws -> Result {
    let ready = try PreparedWorkload(workload, precision: precision, device: device)
    try ready.run()
    let firstStep = ProcessFigures.secondsSinceStart
    for _ in 0..<min(3, steps) { try ready.run() }
    let meter = EnergyMeter(threads: device.threads)
    var times: [Double] = []
    for number in 0..<steps {
      times.append(try ready.run())
      progress(number + 1, steps)
    }
    let tally = meter.tally
    let energy = tally.total * (1 / Double(steps))
    times.sort()
    let median = times[times.count / 2]
    let resident = ProcessFigures.peakResidentBytes
    return Result(
      name: workload.name, mode: workload.mode.rawValue, precision: precision.rawValue,
      threads: device.threads, batch: workload.batch, stepMs: median, stepMsMin: times[0],
      predictedMs: ready.estimatedSeconds * 1e3, isCalibrated: isCalibrated,
      gflops: Double(ready.flops) / median / 1e6,
      matmulLimitGflops: try MachineLimits.matmulGflops(
        on: device, precision == .bf16 ? .bfloat16 : .float32),
      plannedMemoryBytes: ready.plannedBytes, peakMemoryBytes: ready.measuredBytes, residentBytes: resident,
      firstStepS: firstStep, emptyStepUs: try CallOverhead.microseconds(on: device),
      joulesPerStep: energy.joules, joulesPerStepError: energy.error,
      energyMethod: tally.method, co2GramsPerStep: intensity.grams(joules: energy.joules))
  }
}
