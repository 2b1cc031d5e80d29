import Foundation
import Pando
import PandoTraining

/// Runs steps of one workload as they are asked for, so that several programs can be measured in turns.
///
/// The first line written tells of the first step and of what a step is; then each line read is a number of steps, and
/// each line written their times. All lines written are JSON objects.
struct BenchServer {
  private struct Greeting: Encodable {
    let firstStepS: Double
    let parameters: Int
    /// Floating-point operations of a step's products and convolutions.
    let productFlops: Int
    let plannedMemoryBytes: Int
  }

  private struct Burst: Encodable {
    let stepMs: [Double]
    let residentBytes: Int
  }

  private let workload: Workload
  private let precision: Recipe.Precision
  private let device: Device

  init(_ workload: Workload, _ precision: Recipe.Precision, _ device: Device) {
    self.workload = workload
    self.precision = precision
    self.device = device
  }

  /// Serves until standard input ends.
  func serve() throws {
    let ready = try PreparedWorkload(workload, precision: precision, device: device)
    try ready.run()
    let firstStep = ProcessFigures.secondsSinceStart
    try write(
      Greeting(
        firstStepS: firstStep, parameters: ready.parameters, productFlops: ready.productFlops,
        plannedMemoryBytes: ready.plannedBytes))
    while let line = readLine() {
      guard let count = Int(line), count > 0 else {
        throw UsageError("each line on standard input is a number of steps, got '\(line)'")
      }
      let times = try (0..<count).map { _ in try ready.run() }
      try write(Burst(stepMs: times, residentBytes: ProcessFigures.peakResidentBytes))
    }
  }

  private func write(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    try FileHandle.standardOutput.write(contentsOf: encoder.encode(value) + Data("\n".utf8))
  }
}
