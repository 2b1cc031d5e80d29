import PandoIR

/// Something that turns a graph into a program that runs.
public protocol Engine: Sendable {
  /// The name that users know it by (`cpu`, `reference`).
  var name: String { get }

  /// Compiles a graph.
  ///
  /// - Throws: `EngineError` where an operation has no rule for these types here; nothing falls back silently.
  func compile(_ graph: Graph, options: CompileOptions) throws -> any Executable

  /// New memory for a tensor, zeroed.
  func allocate(_ type: TensorType) throws -> any DeviceBuffer

  /// What computing more and more again would save a training step, and cost it: about `count` ways, the first of
  /// which computes nothing again. Nothing is run.
  func recomputations(_ graph: Graph, options: CompileOptions, count: Int) throws -> [RecomputationPoint]
}

extension Engine {
  /// An engine that computes nothing again has no choice.
  public func recomputations(_ graph: Graph, options: CompileOptions, count: Int) throws
    -> [RecomputationPoint]
  { [] }
}

/// How a graph is to be compiled.
public struct CompileOptions: Hashable, Sendable {
  /// Threads that the program may use.
  public var threads: Int
  /// For each donated input (by its place among the inputs) the output that takes its memory over: the caller passes
  /// the same buffer for both, and the old contents are gone after a run. Types must be equal.
  public var donations: [Int: Int]
  /// Whether to verify the graph after every pass.
  public var verify: Bool
  /// Whether the engine may do several operations at once; `false` keeps them apart, so that `trace` names each.
  public var fuse: Bool

  /// Whether methods that trade accuracy for speed, such as Winograd's convolutions, are left alone.
  public var exact: Bool

  /// What a training step computes again to keep less; nothing unless set.
  public var recompute: Recomputation?

  /// The places of inputs whose numbers stay the same from run to run, such as a trained network's weights. What
  /// depends on nothing else is computed in the first run and kept; see `Executable.refresh`.
  public var frozen: Set<Int>

  /// What the machine can do, by which the engine chooses what is cheapest to compute again.
  public var ceilings: Ceilings

  /// The mesh that the program is one rank's part of; `nil` for a program of one rank. All ranks compile the same
  /// programs in the same order.
  public var group: MeshGroup?

  /// Where it is decided which of several methods is taken; `nil` for the engine's rules alone.
  public var methods: MethodBook?

  /// What of the program's memory lies in files.
  public var offload: Offload

  /// Options; nothing is donated unless said.
  public init(
    threads: Int = 1, donations: [Int: Int] = [:], verify: Bool = false, fuse: Bool = true,
    exact: Bool = false, recompute: Recomputation? = nil, ceilings: Ceilings = Ceilings(),
    frozen: Set<Int> = [], group: MeshGroup? = nil, methods: MethodBook? = nil, offload: Offload = Offload()
  ) {
    self.offload = offload
    self.methods = methods
    self.frozen = frozen
    self.threads = threads
    self.donations = donations
    self.verify = verify
    self.fuse = fuse
    self.exact = exact
    self.recompute = recompute
    self.ceilings = ceilings
    self.group = group
  }
}

/// A compiled program. It is used by one thread at a time.
public protocol Executable: AnyObject {
  /// What must be given, in order.
  var inputs: [Graph.Input] { get }
  /// The types of what comes out, in order.
  var outputTypes: [TensorType] { get }
  /// What memory the program needs, and what it has been seen to use.
  var memory: MemoryReport { get }
  /// What lies in its arena at each moment.
  var timeline: MemoryTimeline { get }

  /// Runs once.
  ///
  /// - Parameters:
  ///   - arguments: a buffer for each input.
  ///   - results: a buffer for each output, written by the run; for a donated input the very same buffer.
  func run(_ arguments: [any DeviceBuffer], into results: [any DeviceBuffer]) throws

  /// Seconds that runs have waited for memory in files, all together.
  var offloadWait: Double { get }

  /// About how long a run waits for memory in files.
  ///
  /// - Parameters:
  ///   - nodeSeconds: how long each node of `compiledGraph` takes.
  ///   - rates: what the file's disk can do.
  func estimatedOffloadWait(_ nodeSeconds: [Double], _ rates: Ceilings.Disk) -> Double

  /// Says that the numbers of frozen inputs have changed: the next run computes anew what depends on them.
  func refresh()

  /// The graph as it runs, after the engine's passes.
  var compiledGraph: Graph { get }

  /// Runs once, with the same results, and tells when each operation was at work. Nodes that only rename bytes are
  /// not told of.
  func run(
    _ arguments: [any DeviceBuffer], into results: [any DeviceBuffer], timing record: (OperationTime) -> Void
  ) throws

  /// Runs once and calls `inspect` after each operation with its results in host memory: slow, for finding where
  /// numbers go wrong. Donated inputs are left as they were.
  func trace(_ arguments: [any DeviceBuffer], inspect: (Node, [HostBuffer]) throws -> Void) throws
}

extension Executable {
  /// Nothing, for an engine that keeps nothing.
  public func refresh() {}

  /// Nothing, for an engine that has nothing in files.
  public var offloadWait: Double { 0 }

  /// Nothing, for an engine that has nothing in files.
  public func estimatedOffloadWait(_ nodeSeconds: [Double], _ rates: Ceilings.Disk) -> Double { 0 }

  /// A program without an arena has nothing to show.
  public var timeline: MemoryTimeline { MemoryTimeline() }
}

/// Memory that an engine's programs read and write.
public protocol DeviceBuffer: AnyObject {
  /// Shape and element type.
  var type: TensorType { get }
  /// Copies the contents to host memory of `type.byteCount` bytes.
  func read(into destination: UnsafeMutableRawPointer) throws
  /// Replaces the contents from host memory of `type.byteCount` bytes.
  func write(from source: UnsafeRawPointer) throws
}

/// The bytes a program needs: known before it runs, checked in every run.
public struct MemoryReport: Hashable, Sendable, Codable {
  /// Bytes of the inputs' buffers that lie in memory.
  public var argumentBytes: Int
  /// Bytes of the outputs' buffers, but for those that take over a donated input.
  public var resultBytes: Int
  /// Bytes of the arena: intermediate values and workspaces at their highest, as planned.
  public var arenaBytes: Int
  /// The highest byte of the arena that any operation of any run has been given.
  public var measuredArenaBytes: Int
  /// Bytes of a file that hold intermediate values.
  public var fileBytes: Int
  /// Bytes of files, those of inputs too, that are in memory at once at the most, as planned.
  public var windowBytes: Int
  /// The most bytes of files that any run has had in memory at once.
  public var measuredWindowBytes: Int

  /// A report from its figures.
  public init(
    argumentBytes: Int, resultBytes: Int, arenaBytes: Int, measuredArenaBytes: Int, fileBytes: Int = 0,
    windowBytes: Int = 0, measuredWindowBytes: Int = 0
  ) {
    (self.fileBytes, self.windowBytes) = (fileBytes, windowBytes)
    self.measuredWindowBytes = measuredWindowBytes
    self.argumentBytes = argumentBytes
    self.resultBytes = resultBytes
    self.arenaBytes = arenaBytes
    self.measuredArenaBytes = measuredArenaBytes
  }

  /// Arena and what is in memory of files, as planned.
  public var workingBytes: Int { arenaBytes + windowBytes }
  /// Arena and what is in memory of files, as measured.
  public var measuredWorkingBytes: Int { measuredArenaBytes + measuredWindowBytes }
  /// Inputs in memory, outputs and `workingBytes`, as planned.
  public var plannedPeakBytes: Int { argumentBytes + resultBytes + workingBytes }
  /// Inputs in memory, outputs and `measuredWorkingBytes`.
  public var measuredPeakBytes: Int { argumentBytes + resultBytes + measuredWorkingBytes }
}

/// Why an engine cannot compile or run something.
public struct EngineError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The reason and what to do.
  public let description: String
  /// An error with its reason.
  public init(_ description: String) { self.description = description }
}
