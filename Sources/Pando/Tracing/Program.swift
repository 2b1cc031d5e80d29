import PandoEngine
import PandoIR
import PandoTransforms

/// A compiled program over placeholders whose buffers the caller keeps: what a training step is.
///
/// Buffers are bound once and used in every run, so a run allocates nothing.
public final class Program {
  /// The whole graph, of which a rank of a spread program compiles its part.
  public let graph: Graph
  private let executable: any Executable
  private let device: Device
  private let frozen: Set<Int>
  private let options: CompileOptions
  /// What this rank does of `graph`: all of it, unless the program is spread.
  private let part: Graph
  /// Tensors with known numbers that the outputs depend on beside the inputs.
  private let constants: [HostBuffer]
  private var arguments: [any DeviceBuffer] = []
  private var results: [any DeviceBuffer] = []

  /// Compiles a program.
  ///
  /// - Parameters:
  ///   - outputs: what it returns.
  ///   - inputs: placeholders, in the order in which `bind` takes their buffers.
  ///   - donations: for each donated input (its place in `inputs`) the place in `outputs` of the value that takes its
  ///     memory over.
  ///   - recompute: what is computed again to keep less, for a training step.
  ///   - frozen: the places in `inputs` of those whose numbers stay the same from run to run, such as the weights in
  ///     inference: what only depends on them is computed once, in the first run after `bind`, `rebind` of one of them, or
  ///     `refresh`.
  ///   - spread: the ranks over which the program is spread; buffers are then parts of its inputs and outputs.
  ///   - offload: what lies in files: the places are those in `inputs`. Goes with no frozen inputs.
  /// - Throws: `TypeError` or `EngineError`, also where an output depends on a placeholder that is not in `inputs`;
  ///   `ShardingError` where a size does not divide over the ranks.
  public convenience init(
    _ outputs: [Tensor], inputs: [Tensor], donations: [Int: Int] = [:], on device: Device = .cpu,
    fuse: Bool = true,
    verify: Bool = false, recompute: Recomputation? = nil, frozen: Set<Int> = [], spread: Spread? = nil,
    offload: Offload = Offload()
  ) throws {
    let trace = try Trace(outputs, inputs: inputs)
    let constants = try trace.constants(after: inputs.count)
    try self.init(
      trace.graph, constants: constants, donations: donations, on: device, fuse: fuse, verify: verify,
      recompute: recompute, frozen: frozen, spread: spread, offload: offload)
  }

  /// Compiles a graph.
  ///
  /// - Parameter constants: buffers of its last inputs, which `bind` does not ask for.
  package init(
    _ graph: Graph, constants: [HostBuffer] = [], donations: [Int: Int] = [:], on device: Device = .cpu,
    fuse: Bool = true, verify: Bool = false, recompute: Recomputation? = nil, frozen: Set<Int> = [],
    spread: Spread? = nil, offload: Offload = Offload()
  ) throws {
    self.graph = graph
    self.constants = constants
    self.device = device
    // What a spread program computes once would be exchanged once, out of step with the rest.
    let frozen = spread == nil ? frozen : []
    self.frozen = frozen
    // Constants never change, but a step that donates has no use for what would be kept of them.
    let all = frozen.isEmpty ? [] : frozen.union(graph.inputs.count - constants.count..<graph.inputs.count)
    options = CompileOptions(
      threads: device.threads, donations: donations, verify: verify, fuse: fuse, exact: device.isExact,
      recompute: recompute, ceilings: device.ceilings, frozen: all, group: spread?.group,
      methods: device.methods, offload: offload)
    part = try spread?.part(of: graph) ?? graph
    executable = try device.engine.compile(part, options: options)
    device.keepMeasurements()
  }

  /// What one run has to do: what the graph says twice, such as a forward pass that a gradient repeats, counts once.
  public private(set) lazy var cost: Cost = merged.cost

  /// Floating-point operations of one run in products and convolutions alone, composites by their decomposition: what
  /// counters of other frameworks count too, so that two programs can be seen to do the same work.
  public private(set) lazy var productFlops: Int = merged.productFlops

  private var merged: Graph {
    do { return try Simplify().apply(graph) } catch {
      preconditionFailure("a graph that was compiled cannot be simplified: \(error)")
    }
  }

  /// What computing more and more again would save and cost: about `count` ways; see `Engine.recomputations`.
  public func recomputations(count: Int) throws -> [RecomputationPoint] {
    try device.engine.recomputations(part, options: options, count: count)
  }

  /// About how long a run takes, by what the device's machine and the disk under files can do.
  public var estimatedSeconds: Double {
    let footprint = memory.plannedPeakBytes
    let seconds = compiledGraph.nodes.map { device.ceilings.seconds(of: $0, footprint: footprint) }
    return seconds.reduce(0, +)
      + executable.estimatedOffloadWait(seconds, device.ceilings.disk ?? Ceilings.Disk())
  }

  /// Seconds that runs so far have waited for memory in files.
  public var offloadWait: Double { executable.offloadWait }

  /// Bytes of tensors with known numbers that the program keeps.
  public var constantBytes: Int { constants.reduce(0) { $0 + $1.type.byteCount } }

  /// What lies in the program's arena at each moment.
  public var timeline: MemoryTimeline { executable.timeline }

  /// What memory the program needs and has used.
  public var memory: MemoryReport { executable.memory }

  /// Sets the buffers of all inputs and outputs. A donated input and the output that takes it over are one buffer.
  public func bind(_ arguments: [HostBuffer], into results: [HostBuffer]) {
    self.arguments = arguments + constants
    self.results = results
    executable.refresh()
  }

  /// Says that the numbers in the buffers of frozen inputs have changed.
  public func refresh() { executable.refresh() }

  /// Replaces the buffer of one input.
  public func rebind(_ input: Int, _ buffer: HostBuffer) {
    arguments[input] = buffer
    if frozen.contains(input) { executable.refresh() }
  }

  /// Runs once over the bound buffers.
  public func run() throws { try executable.run(arguments, into: results) }

  /// The graph as it runs, after the engine's passes.
  public var compiledGraph: Graph { executable.compiledGraph }

  /// Runs once over the bound buffers, with the same results as `run`, and tells when each operation was at work; see
  /// `Executable.run(_:into:timing:)`.
  public func run(timing record: (OperationTime) -> Void) throws {
    try executable.run(arguments, into: results, timing: record)
  }

  /// Runs once and looks at every operation's results; see `Executable.trace`.
  public func trace(_ inspect: (Node, [HostBuffer]) throws -> Void) throws {
    try executable.trace(arguments, inspect: inspect)
  }
}
