import CPandoKernels
import PandoEngine
import PandoIR
import PandoTransforms

/// A compiled program: kernels in order, a table of addresses, an arena.
///
/// The table holds, for each kernel, the addresses of its operands, results and workspace. Those in the arena never
/// change; those in the caller's buffers are put in at the start of a run.
final class CPUExecutable: Executable {
  let inputs: [Graph.Input]
  let outputTypes: [TensorType]
  let graph: Graph
  let plan: MemoryPlan

  private struct Step {
    let kernel: Kernel
    let node: Int
    let firstSlot: Int
  }

  /// A slot of the table that holds a caller's buffer.
  private struct Patch {
    let slot: Int
    let isResult: Bool
    let buffer: Int
  }

  private let steps: [Step]
  private let patches: [Patch]
  private let table: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  private let arena: Arena
  private var hasRun = false
  /// How many steps at the beginning only depend on frozen inputs, and whether they have run.
  private let preparedSteps: Int
  private var isPrepared = false
  private let options: CompileOptions
  private let donors: [Int: Int]
  private let session: GroupSession
  /// What the program has in files; `nil` where it has nothing.
  private let stream: OffloadStream?

  init(_ graph: Graph, _ options: CompileOptions) throws {
    self.graph = graph
    self.options = options
    inputs = graph.inputs
    outputTypes = graph.outputs.map(\.type)
    donors = Dictionary(uniqueKeysWithValues: options.donations.map { ($0.value, $0.key) })

    let session = GroupSession(options.group)
    self.session = session
    let kernels = try graph.nodes.map { try Self.kernel($0, options, session) }
    let plan = PlanMemory.plan(
      graph,
      needs: kernels.map { kernel in
        PlanMemory.Needs(workspaceBytes: kernel?.workspaceBytes ?? 0, inPlace: kernel?.inPlace ?? [])
      },
      donations: options.donations, preparedCount: HoistFrozen.count(graph, options.frozen),
      files: options.files)
    self.plan = plan
    arena = try Arena(byteCount: plan.arenaBytes)
    let offload = options.offload
    precondition(offload.isEmpty || options.frozen.isEmpty, "what runs once for many runs is not offloaded")
    let file =
      try offload.isPlan || plan.fileBytes == 0
      ? nil
      : offload.values.map {
        try OffloadFile(in: $0, byteCount: plan.fileBytes, isCached: offload.isCached)
      }
    stream = offload.isPlan ? nil : plan.stream.map { OffloadStream($0, file: file) }

    let slotCount = graph.nodes.reduce(0) { $0 + $1.operands.count + $1.results.count + 1 }
    table = .allocate(capacity: max(1, slotCount))
    table.initialize(repeating: nil, count: max(1, slotCount))
    var steps: [Step] = []
    var patches: [Patch] = []
    var slot = 0
    for (index, node) in graph.nodes.enumerated() {
      guard let kernel = kernels[index] else { continue }
      steps.append(Step(kernel: kernel, node: index, firstSlot: slot))
      for value in node.operands + node.results {
        switch plan.storage[value.id] {
        case .argument(let place)?: patches.append(Patch(slot: slot, isResult: false, buffer: place))
        case .result(let place)?: patches.append(Patch(slot: slot, isResult: true, buffer: place))
        case .arena(let offset)?:
          table[slot] = arena.address(offset, count: MemoryPlan.aligned(max(1, value.type.byteCount)))
        case .file(let offset)?: table[slot] = file.map { $0.start + offset }
        case nil: preconditionFailure("%\(value.id) has no place")
        }
        slot += 1
      }
      if let workspace = plan.workspaces[index] {
        table[slot] = arena.address(workspace, count: MemoryPlan.aligned(kernel.workspaceBytes))
      }
      slot += 1
    }
    self.steps = steps
    let prepared = HoistFrozen.count(graph, options.frozen)
    preparedSteps = steps.prefix { $0.node < prepared }.count
    self.patches = patches
  }

  deinit {
    session.settle()
    table.deallocate()
  }

  /// The kernel of a node; none for one that only renames bytes.
  static func kernel(_ node: Node, _ options: CompileOptions, _ session: GroupSession) throws -> Kernel? {
    let (operands, results) = (node.operands.map(\.type), node.results.map(\.type))
    if let lowering = node.operation as? any CPUGroupLowering, lowering.canLower(operands, results) {
      return try lowering.lower(operands, results, session: session, threads: options.threads)
    }
    if node.operation.traits.contains(.alias) { return nil }
    guard let lowering = node.operation as? any CPULowering, lowering.canLower(operands, results) else {
      throw EngineError(
        "the CPU engine has no kernel for \(type(of: node.operation).name) of \(operands) -> \(results)"
          + (node.site.map { ", called at \($0)" } ?? "")
          + "; convert the operands to float32, or add a lowering")
    }
    if options.exact, let exact = lowering as? any ExactLowering {
      return try exact.lowerExactly(operands, results, threads: options.threads)
    }
    return try lowering.lower(operands, results, threads: options.threads)
  }

  var timeline: MemoryTimeline {
    let producers = graph.producers
    func name(_ node: Node) -> String {
      (node.operation as? any CustomStringConvertible)?.description ?? type(of: node.operation).name
    }
    return MemoryTimeline(
      operations: graph.nodes.count,
      stretches: plan.intervals.map { interval in
        let made = interval.value.flatMap { producers[$0] }
        let node = graph.nodes[made ?? interval.first]
        let result = node.results.first { $0.id == interval.value }
        return MemoryTimeline.Stretch(
          name: name(node), type: result?.type.description ?? "workspace", bytes: interval.byteCount,
          first: interval.first, last: interval.last)
      })
  }

  var memory: MemoryReport {
    MemoryReport(
      argumentBytes: inputs.enumerated().reduce(0) {
        options.offload.inputs.contains($1.offset) ? $0 : $0 + $1.element.value.type.byteCount
      },
      resultBytes: outputTypes.enumerated().reduce(0) {
        donors[$1.offset] == nil ? $0 + $1.element.byteCount : $0
      },
      arenaBytes: plan.arenaBytes, measuredArenaBytes: arena.highestByte, fileBytes: plan.fileBytes,
      windowBytes: plan.stream?.windowBytes ?? 0, measuredWindowBytes: stream?.highestBytes ?? 0)
  }

  func run(_ arguments: [any DeviceBuffer], into results: [any DeviceBuffer]) throws {
    try bind(arguments, results)
    try runSteps(arguments, results) { step in
      let status = step.kernel.run(UnsafePointer(table + step.firstSlot))
      if status != 0 { throw failure(step, status) }
    }
    if !hasRun {
      hasRun = true
      arena.gatherPages()
    }
  }

  /// All that a run does, each step by `work`.
  private func runSteps(
    _ arguments: [any DeviceBuffer], _ results: [any DeviceBuffer], _ work: (Step) throws -> Void
  ) throws {
    guard !options.offload.isPlan else {
      throw EngineError("a program whose files are only planned cannot run")
    }
    try stream?.begin(arguments)
    for step in steps[(isPrepared ? preparedSteps : 0)...] {
      guard let stream, stream.nextStep == step.node else {
        try work(step)
        continue
      }
      stream.arrive()
      try work(step)
      stream.leave()
    }
    isPrepared = true
    let copiesFiles = stream?.nextStep == graph.nodes.count
    if copiesFiles { stream?.arrive() }
    try copyOutputs(arguments, results)
    if copiesFiles { stream?.leave() }
    stream?.end()
    precondition(arena.highestByte <= plan.arenaBytes, "the arena was used beyond its plan")
  }

  var offloadWait: Double { stream?.waited ?? 0 }

  func estimatedOffloadWait(_ nodeSeconds: [Double], _ rates: Ceilings.Disk) -> Double {
    plan.stream?.wait(nodeSeconds, rates, isCached: options.offload.isCached) ?? 0
  }

  func refresh() { isPrepared = false }

  var compiledGraph: Graph { graph }

  func run(
    _ arguments: [any DeviceBuffer], into results: [any DeviceBuffer], timing record: (OperationTime) -> Void
  ) throws {
    try bind(arguments, results)
    try runSteps(arguments, results) { step in
      let start = ContinuousClock.now
      let status = step.kernel.run(UnsafePointer(table + step.firstSlot))
      let end = ContinuousClock.now
      if status != 0 { throw failure(step, status) }
      record(OperationTime(node: step.node, start: start, end: end))
    }
  }

  func trace(_ arguments: [any DeviceBuffer], inspect: (Node, [HostBuffer]) throws -> Void) throws {
    guard options.donations.isEmpty else {
      throw EngineError("only a program without donated inputs can be traced")
    }
    let results: [any DeviceBuffer] = outputTypes.map { HostBuffer($0) }
    try bind(arguments, results)
    // Only addresses are left in the table: without this the results would be freed before they are written.
    try withExtendedLifetime(results) {
      for step in steps {
        let status = step.kernel.run(UnsafePointer(table + step.firstSlot))
        if status != 0 { throw failure(step, status) }
        let node = graph.nodes[step.node]
        let first = step.firstSlot + node.operands.count
        try inspect(
          node,
          node.results.enumerated().map { HostBuffer($0.element.type, borrowing: table[first + $0.offset]!) })
      }
    }
  }

  private func failure(_ step: Step, _ status: Int32) -> any Error {
    session.settle()
    if let failure = session.takeFailure() { return failure }
    let node = graph.nodes[step.node]
    return EngineError(
      "\(type(of: node.operation).name) of \(node.operands.map(\.type)) failed with status \(status)")
  }

  private func bind(_ arguments: [any DeviceBuffer], _ results: [any DeviceBuffer]) throws {
    guard arguments.count == inputs.count, results.count == outputTypes.count else {
      throw EngineError(
        "takes \(inputs.count) inputs and \(outputTypes.count) outputs, got \(arguments.count) and \(results.count)"
      )
    }
    for patch in patches {
      table[patch.slot] = try pointer(
        patch.isResult ? results[patch.buffer] : arguments[patch.buffer],
        patch.isResult ? outputTypes[patch.buffer] : inputs[patch.buffer].value.type)
    }
  }

  private func pointer(_ buffer: any DeviceBuffer, _ type: TensorType) throws -> UnsafeMutableRawPointer {
    // A comparison of classes: the cast would look through tables for every buffer of every run.
    guard Swift.type(of: buffer) == HostBuffer.self else {
      throw EngineError("the CPU engine needs its own buffers")
    }
    let host = unsafeDowncast(buffer, to: HostBuffer.self)
    guard host.type == type else { throw EngineError("expected a buffer of \(type), got \(host.type)") }
    return host.pointer
  }

  private func copyOutputs(_ arguments: [any DeviceBuffer], _ results: [any DeviceBuffer]) throws {
    for copy in plan.copies {
      let type = outputTypes[copy.output]
      let source: UnsafeMutableRawPointer =
        switch plan.storage[copy.value] {
        case .argument(let place)?:
          try pointer(arguments[place], type.with(shape: inputs[place].value.type.shape))
        case .result(let place)?: try pointer(results[place], outputTypes[place])
        case .arena(let offset)?: arena.address(offset, count: type.byteCount)
        case .file?: preconditionFailure("an output of a program lies in its file")
        case nil: preconditionFailure("%\(copy.value) has no place")
        }
      try pointer(results[copy.output], type).copyMemory(from: source, byteCount: type.byteCount)
    }
  }
}

extension CompileOptions {
  /// What the memory planner may put into files.
  var files: PlanMemory.Files {
    PlanMemory.Files(
      inputs: offload.inputs, values: offload.values != nil, smallestValue: offload.smallestValue,
      alignment: OffloadFile.alignment)
  }
}
