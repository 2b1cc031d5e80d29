import COneDNN
import PandoEngine
import PandoIR
import PandoOperations
import PandoTransforms

/// The engine for this machine's processor: oneDNN for products and convolutions, our own kernels for the rest, one
/// arena, one team of threads.
public struct CPUEngine: Engine {
  public let name = "cpu"

  /// What the speed of its methods depends on beside the processor: the instruction set, the library's version, and that
  /// of our own kernels, which counts up when they become faster.
  public static var methodsDescription: String {
    "\(InstructionSet.name), oneDNN \(String(cString: pdnn_version())), kernels 1"
  }

  /// The engine; it has no state.
  public init() {}

  public func allocate(_ type: TensorType) -> any DeviceBuffer { HostBuffer(type) }

  public func compile(_ graph: Graph, options: CompileOptions) throws -> any Executable {
    try InstructionSet.settle()
    try Self.checkDonations(graph, options.donations, options.frozen)
    return try CPUExecutable(Self.lowered(graph, options), options)
  }

  public func recomputations(_ graph: Graph, options: CompileOptions, count: Int) throws
    -> [RecomputationPoint]
  {
    guard let loss = options.recompute?.loss else { return [] }
    try InstructionSet.settle()
    let simplified = try graph.applying(Self.frontPasses(options), verify: options.verify)
    let search = RecomputeSearch(simplified, loss: loss, options)
    // Evenly along the ladder, its last rung among them.
    let rungs = Set((0..<max(2, count)).map { $0 * (search.count - 1) / (max(2, count) - 1) })
    return try rungs.sorted().map { rung in
      let candidate = try search.candidate(rung)
      let footprint =
        candidate.plan.residentBytes + graph.inputs.reduce(0) { $0 + $1.value.type.byteCount }
      let seconds = candidate.graph.nodes.map { options.ceilings.seconds(of: $0, footprint: footprint) }
      let wait = candidate.plan.stream?.wait(
        seconds, options.ceilings.disk ?? Ceilings.Disk(), isCached: options.offload.isCached)
      return RecomputationPoint(
        arenaBytes: candidate.plan.residentBytes, seconds: seconds.reduce(0, +) + (wait ?? 0))
    }
  }

  /// From a user's graph to one of which every node has a kernel, in the order in which they run.
  static func lowered(_ graph: Graph, _ options: CompileOptions) throws -> Graph {
    var simplified = try graph.applying(frontPasses(options), verify: options.verify)
    if let recompute = options.recompute {
      switch recompute.policy {
      case .none: break
      case .blocks:
        simplified = try simplified.applying(
          [Rematerialize(.blocks, loss: recompute.loss)], verify: options.verify)
      case .sqrt:
        simplified = try simplified.applying(
          [Rematerialize(.sqrt, loss: recompute.loss)], verify: options.verify)
      case .fit(let arenaBytes):
        return try RecomputeSearch(simplified, loss: recompute.loss, options)
          .smallestWork(within: arenaBytes).graph
      }
    }
    return try simplified.applying(backPasses(options), verify: options.verify)
  }

  /// To operations that the engine can do, on values as they will lie in memory.
  static func frontPasses(_ options: CompileOptions) -> [any Pass] {
    let passes: [any Pass] = [Simplify(), Decompose(keeping: Self.hasKernel), Simplify()]
    // A program whose operations are kept apart shows each result as the user knows it.
    guard options.fuse else { return passes }
    let settings = ConvolutionSettings(
      threads: options.threads, isExact: options.exact, methods: options.methods)
    let absorb = Absorb(frozenInputs: options.frozen)
    return passes + (options.exact ? [] : [absorb])
      + [ArrangeLayouts(settings: settings, frozenInputs: options.frozen), absorb]
  }

  /// From those to kernels, in order.
  static func backPasses(_ options: CompileOptions) -> [any Pass] {
    let passes: [any Pass] = [
      Fuse(merge: options.fuse), Schedule(donations: options.donations), HoistFrozen(options.frozen),
    ]
    // Each result of a program that is looked at is complete when its operation is.
    return options.group == nil || !options.fuse ? passes : passes + [Overlap()]
  }

  @Sendable static func hasKernel(_ node: Node) -> Bool {
    let (operands, results) = (node.operands.map(\.type), node.results.map(\.type))
    if let lowering = node.operation as? any CPUGroupLowering, lowering.canLower(operands, results) {
      return true
    }
    guard let lowering = node.operation as? any CPULowering else { return false }
    return lowering.canLower(operands, results)
  }

  private static func checkDonations(_ graph: Graph, _ donations: [Int: Int], _ frozen: Set<Int>) throws {
    for (input, output) in donations {
      guard graph.inputs.indices.contains(input), graph.outputs.indices.contains(output) else {
        throw EngineError("input \(input) is donated to output \(output), which the graph does not have")
      }
      let (from, to) = (graph.inputs[input], graph.outputs[output])
      guard from.value.type == to.type else {
        throw EngineError("\(from.name) (\(from.value.type)) is donated to an output of type \(to.type)")
      }
      for other in graph.inputs where other.value == to && other.value != from.value {
        throw EngineError("\(from.name) is donated to an output that is the input \(other.name) unchanged")
      }
    }
    if let both = donations.keys.first(where: frozen.contains) {
      throw EngineError("\(graph.inputs[both].name) is donated, so it cannot be frozen too")
    }
    if let missing = frozen.first(where: { !graph.inputs.indices.contains($0) }) {
      throw EngineError("input \(missing) is frozen, which the graph does not have")
    }
    guard Set(donations.values).count == donations.count else {
      throw EngineError("two inputs are donated to one output")
    }
  }
}
