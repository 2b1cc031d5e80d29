import Foundation

/// Tells this process's energy by the model of its processor, from the time that its threads have computed.
struct ModelReader: EnergyReader {
  let interval = 3600.0
  private let model: ProcessorModel
  private let threads: Double
  private let busySeconds: @Sendable () -> Double
  private var last: Double

  /// - Parameters:
  ///   - threads: threads that the process computes with.
  ///   - busySeconds: the time that it has computed, all threads together.
  init(
    _ model: ProcessorModel, threads: Int, busySeconds: @escaping @Sendable () -> Double = Self.processSeconds
  ) {
    self.model = model
    self.threads = Double(threads)
    self.busySeconds = busySeconds
    last = busySeconds()
  }

  mutating func read(after seconds: Double) -> EnergyTally {
    let now = busySeconds()
    var tally = EnergyTally()
    tally.add(model.energy(seconds: seconds, threads: threads, busySeconds: now - last), to: .model)
    last = now
    return tally
  }

  /// Processor time of this process.
  static func processSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
