import Dispatch
import Foundation
import Synchronization

/// Where a meter looks for counters; a test has a tree of its own.
public struct EnergySources: Sendable {
  /// The tree of zones.
  public var powercap: URL
  /// What the system says of its processor.
  public var cpuinfo: URL
  /// NVIDIA's management library; `nil` for none.
  public var nvidia: String?

  /// Where Linux has them.
  public init(
    powercap: URL = URL(fileURLWithPath: "/sys/class/powercap"),
    cpuinfo: URL = URL(fileURLWithPath: "/proc/cpuinfo"), nvidia: String? = "libnvidia-ml.so.1"
  ) {
    self.powercap = powercap
    self.cpuinfo = cpuinfo
    self.nvidia = nvidia
  }
}

/// Tells how much energy has gone since it was made: by counters where there are any, else by a model of the processor.
public final class EnergyMeter: Sendable {
  private struct State {
    var readers: [any EnergyReader]
    var last = ContinuousClock.now
    var tally = EnergyTally()

    mutating func read() {
      let now = ContinuousClock.now
      let seconds = last.duration(to: now) / .seconds(1)
      last = now
      for index in readers.indices { tally = tally + readers[index].read(after: seconds) }
    }
  }

  /// What is read: `package-0 and dram by RAPL`, `a model of AMD EPYC, 5th generation`.
  public let description: String
  /// What a user should know: why counters that are there are not used.
  public let problem: String?
  private let state: Mutex<State>
  // Safe to use from any thread, though not declared so; it is set once.
  nonisolated(unsafe) private let timer: any DispatchSourceTimer

  /// A meter that begins to count.
  ///
  /// - Parameters:
  ///   - threads: threads that this process computes with.
  ///   - wattsPerCore: for the model, what the user knows better than the table of processors.
  ///   - isFirstOnHost: counters count a whole host, so of several processes only one reads them; the others count
  ///     nothing then. By the model, each counts its own.
  public init(
    sources: EnergySources = EnergySources(), threads: Int, wattsPerCore: Double? = nil,
    isFirstOnHost: Bool = true
  ) {
    var readers: [any EnergyReader] = []
    var parts: [String] = []
    var problem: String?
    do {
      if let counters = try PowercapReader(tree: sources.powercap) {
        readers.append(counters)
        parts.append("\(counters.names.joined(separator: ", ")) by RAPL")
      }
    } catch { problem = "\(error); 'sudo chmod a+r' lets it be read. Until then energy is a model" }
    if readers.isEmpty {
      let model = ProcessorModel(cpuinfo: sources.cpuinfo, wattsPerCore: wattsPerCore)
      readers.append(ModelReader(model, threads: threads))
      parts.append("a model of \(model.name)")
    } else if !isFirstOnHost {
      readers = []
    }
    let visible = ProcessInfo.processInfo.environment["CUDA_VISIBLE_DEVICES"]
    if isFirstOnHost, let name = sources.nvidia, let library = NVIDIALibrary(name, visible: visible),
      let devices = NVIDIAReader(library.devices)
    {
      readers.append(devices)
      parts.append("\(devices.count) NVIDIA \(devices.count == 1 ? "device" : "devices")")
    }
    description = parts.joined(separator: ", ")
    self.problem = problem
    let interval = readers.map(\.interval).min() ?? 3600
    state = Mutex(State(readers: readers))
    timer = DispatchSource.makeTimerSource(queue: .global(qos: .utility))
    timer.schedule(deadline: .now() + interval, repeating: interval, leeway: .milliseconds(50))
    timer.setEventHandler { [weak self] in self?.state.withLock { $0.read() } }
    timer.activate()
  }

  deinit { timer.cancel() }

  /// The energy since the meter was made.
  public var tally: EnergyTally {
    state.withLock { state in
      state.read()
      return state.tally
    }
  }
}
