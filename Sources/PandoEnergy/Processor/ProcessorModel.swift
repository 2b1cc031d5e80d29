import Foundation

/// A model of the power that a processor takes, with its share of the server around it, for systems that do not count
/// energy, and for runs that have not run.
///
/// Power grows in a line from rest to full load, as SPECpower's results do closely. Whoever uses a core answers for what
/// it takes at rest, too. It is a model: see `relativeError`.
public struct ProcessorModel: Hashable, Sendable {
  /// What the figures are of: `AMD EPYC, 5th generation`.
  public let name: String
  /// Watts for each core at full load, the rest of the server included.
  public let wattsPerCore: Double
  /// Power at rest over power at full load.
  public let idleShare: Double
  /// Plus or minus, one standard deviation.
  public let relativeError: Double
  /// Cores that there are; more threads than these take no more power.
  public let cores: Int

  /// How far a load such as a matrix product's is from the benchmark's, whose power the figures are.
  private static let loadError = 0.2
  /// In a virtual machine a core may be one of two hardware threads of a core, and nothing says so.
  private static let virtualError = 0.3

  /// The model of this machine's processor.
  ///
  /// - Parameters:
  ///   - cpuinfo: usually `/proc/cpuinfo`; where it is missing the processor is of an unknown kind.
  ///   - wattsPerCore: what the user knows better than any table; its error is that of the load alone.
  public init(cpuinfo: URL = URL(fileURLWithPath: "/proc/cpuinfo"), wattsPerCore: Double? = nil) {
    self.init(
      ProcessorDescription(cpuinfo: (try? String(contentsOf: cpuinfo, encoding: .utf8)) ?? ""),
      wattsPerCore: wattsPerCore)
  }

  init(_ processor: ProcessorDescription, wattsPerCore: Double?) {
    let kind = ProcessorClass(processor)
    name = kind.name
    idleShare = kind.idleShare
    cores = processor.processors > 0 ? processor.cores : ProcessInfo.processInfo.activeProcessorCount
    self.wattsPerCore = wattsPerCore ?? kind.watts
    let errors =
      wattsPerCore == nil
      ? [kind.deviation / kind.watts, Self.loadError, processor.isVirtual ? Self.virtualError : 0]
      : [Self.loadError]
    relativeError = errors.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  /// The energy of threads that are busy all the time.
  public func energy(seconds: Double, busyThreads: Double) -> Energy {
    energy(seconds: seconds, threads: busyThreads, busySeconds: seconds * busyThreads)
  }

  /// The energy of a program.
  ///
  /// - Parameters:
  ///   - seconds: how long it runs.
  ///   - threads: how many threads it has.
  ///   - busySeconds: how long they compute, all threads together.
  public func energy(seconds: Double, threads: Double, busySeconds: Double) -> Energy {
    let held = seconds * min(threads, Double(cores))
    let busy = min(busySeconds, seconds * Double(cores))
    return Energy(
      joules: wattsPerCore * (idleShare * held + (1 - idleShare) * busy), relativeError: relativeError)
  }
}
