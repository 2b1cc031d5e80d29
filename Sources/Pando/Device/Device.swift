import PandoCPU
import PandoEngine
import PandoIR
import Synchronization

/// Where programs run: an engine, and how many threads it may use. The one place that picks engines.
public struct Device: Sendable {
  /// The name: `cpu` or `reference`.
  public let name: String
  /// Threads that programs may use.
  public let threads: Int
  /// Whether programs leave alone what trades accuracy for speed, such as Winograd's convolutions.
  public let isExact: Bool
  /// Where it is decided which of several methods its programs take, such as algorithms of convolutions; `nil` where
  /// that goes by rule.
  public private(set) var methods: MethodBook?
  private var methodCache: MethodCache?
  /// What its machine can do, by which programs choose what is cheapest to compute again; round figures unless set.
  public var ceilings = Ceilings()
  package let engine: any Engine
  private let cache = ProgramCache()

  /// The names that `init(named:threads:exact:)` takes.
  public static let names = ["cpu", "reference"]

  /// This machine's processor with one thread for each core, or as many as `OMP_NUM_THREADS` says.
  public static let cpu = Device("cpu", CPUEngine(), threads: Machine.threads)

  /// The reference engine: slow, obviously right.
  public static let reference = Device("reference", ReferenceEngine(), threads: 1)

  private init(_ name: String, _ engine: any Engine, threads: Int, exact: Bool = false) {
    isExact = exact
    self.name = name
    self.engine = engine
    self.threads = threads
  }

  /// The device called `name`.
  ///
  /// - Parameters:
  ///   - threads: what its programs may use; by default one for each core.
  ///   - exact: whether programs leave alone what trades accuracy for speed.
  /// - Throws: `EngineError` naming the nearest device where there is none of that name.
  public init(named name: String, threads: Int? = nil, exact: Bool = false) throws {
    switch name {
    case "cpu": self.init(name, CPUEngine(), threads: threads ?? Machine.threads, exact: exact)
    case "reference": self.init(name, ReferenceEngine(), threads: 1, exact: true)
    default:
      let near = nearestName(to: name, among: Device.names).map { "; did you mean '\($0)'?" } ?? "."
      throw EngineError(
        "no device is called '\(name)'\(near) There are: \(Device.names.joined(separator: ", "))")
    }
  }

  /// The same device with another number of threads, and by rule.
  public func with(threads: Int) -> Device {
    var device = Device(name, engine, threads: threads, exact: isExact)
    device.ceilings = ceilings
    return device
  }

  /// The same device, whose programs take the methods that a book says.
  ///
  /// - Parameter cache: gets what is measured meanwhile.
  public func with(methods: MethodBook?, cache: MethodCache? = nil) -> Device {
    var device = with(threads: threads)
    (device.methods, device.methodCache) = (methods, cache)
    return device
  }

  /// The same device, whose programs take the methods that were or will be measured to be the fastest on this machine, as
  /// the user's cache remembers them.
  ///
  /// - Parameter budget: how long measuring may take; with `.zero` only what is remembered counts.
  public func measuringMethods(for budget: Duration = .milliseconds(100)) -> Device {
    let cache = MethodCache.user(threads: threads)
    return with(methods: MethodBook(remembered: cache.load(), budget: budget), cache: cache)
  }

  /// Puts into the cache what compiling has measured.
  func keepMeasurements() {
    guard let methods, let methodCache else { return }
    methodCache.add(methods.takeMeasurements())
  }

  /// A program for a graph, compiled once for each structure.
  ///
  /// - Parameter frozen: the places of inputs that seldom change; what only depends on them is kept between runs.
  func program(_ graph: Graph, frozen: Set<Int> = []) throws -> CachedProgram {
    defer { keepMeasurements() }
    return try cache.program(graph.description + frozen.sorted().description, frozen: frozen) {
      try engine.compile(
        graph, options: CompileOptions(threads: threads, exact: isExact, frozen: frozen, methods: methods))
    }
  }
}

/// Compiled programs by the text of their graph.
private final class ProgramCache: Sendable {
  private let programs = Mutex<[String: CachedProgram]>([:])

  func program(
    _ key: String, frozen: Set<Int>, _ compile: () throws -> any Executable
  ) throws -> CachedProgram {
    if let known = programs.withLock({ $0[key] }) { return known }
    let made = CachedProgram(try compile(), frozen: frozen)
    return programs.withLock { programs in
      if let known = programs[key] { return known }
      programs[key] = made
      return made
    }
  }
}

/// A program that several threads may want; each waits for its turn.
final class CachedProgram: @unchecked Sendable {
  private let executable: any Executable
  private let frozen: [Int]
  /// The buffers of the frozen inputs in the last run, by the turn that holds them.
  private let turn = Mutex<[HostBuffer]>([])

  init(_ executable: any Executable, frozen: Set<Int> = []) {
    self.executable = executable
    self.frozen = frozen.sorted()
  }

  func run(_ arguments: [HostBuffer]) throws -> [HostBuffer] {
    let results = executable.outputTypes.map { HostBuffer($0) }
    try turn.withLock { last in
      let now = frozen.map { arguments[$0] }
      // Graphs that are alike share a program, but not their numbers.
      if !zip(last, now).allSatisfy({ $0 === $1 }) { executable.refresh() }
      last = now
      try executable.run(arguments, into: results)
    }
    return results
  }
}
