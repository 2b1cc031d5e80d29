import Foundation
import Pando
import PandoEngine
import PandoMPI
import PandoTraining

/// Runs steps of one workload as they are asked for, so that several programs can be measured in turns.
///
/// The first line written tells of the first step and of what a step is; then each line read is a number of steps, and
/// each line written their times. All lines written are JSON objects. Of several ranks the first reads and writes.
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
    /// For each step the exchange with other ranks, on the rank that waited least for the others.
    let exchangeMs: [Double]
    let residentBytes: Int
  }

  private let workload: Workload
  private let precision: Recipe.Precision
  private let device: Device
  private let ranks: Ranks

  init(_ workload: Workload, _ precision: Recipe.Precision, _ device: Device, _ ranks: Ranks = .single) {
    self.workload = workload
    self.precision = precision
    self.device = device
    self.ranks = ranks
  }

  /// Serves, as one of the ranks that some `mpirun` has started.
  static func serve(
    _ workload: Workload, _ precision: Recipe.Precision, _ device: Device, as environment: RankEnvironment
  ) throws {
    let local = environment.localSize ?? environment.size ?? 1
    let spins = ProcessInfo.processInfo.processorCount >= local * device.threads
    let world = try MPIWorld(settings: MPISettings(spins: spins))
    try BenchServer(workload, precision, device, Ranks(world.communicator)).serve()
    try world.finish()
  }

  /// Serves until standard input ends.
  func serve() throws {
    let ready = try PreparedWorkload(workload, precision: precision, device: device, ranks: ranks)
    try ready.run()
    let firstStep = ProcessFigures.secondsSinceStart
    try write(
      Greeting(
        firstStepS: firstStep, parameters: ready.parameters, productFlops: ready.productFlops,
        plannedMemoryBytes: ready.plannedBytes))
    while let count = try nextCount() {
      var (times, exchanges): ([Double], [Double]) = ([], [])
      for _ in 0..<count {
        times.append(try ready.run())
        exchanges.append(ready.exchangeMs)
      }
      try exchanges.withUnsafeMutableBytes {
        try ranks.communicator?.allReduce($0, of: .float64, .minimum, label: "times of the exchange")
      }
      try write(
        Burst(stepMs: times, exchangeMs: exchanges, residentBytes: ProcessFigures.peakResidentBytes))
    }
  }

  /// How many steps to do; `nil` at the end.
  private func nextCount() throws -> Int? {
    var count = 0
    if ranks.isFirst, let line = readLine() {
      guard let number = Int(line), number > 0 else {
        throw UsageError("each line on standard input is a number of steps, got '\(line)'")
      }
      count = number
    }
    try withUnsafeMutableBytes(of: &count) {
      try ranks.communicator?.broadcast($0, label: "a number of steps")
    }
    return count > 0 ? count : nil
  }

  private func write(_ value: some Encodable) throws {
    guard ranks.isFirst else { return }
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    try FileHandle.standardOutput.write(contentsOf: encoder.encode(value) + Data("\n".utf8))
  }
}
