import PandoIR
import PandoOperations

/// Runs graphs one operation at a time by their reference semantics, composites by their decomposition.
public struct ReferenceEngine: Engine {
  public let name = "reference"

  /// The engine; it has no state.
  public init() {}

  public func compile(_ graph: Graph, options: CompileOptions) throws -> any Executable {
    guard options.offload.isEmpty else {
      throw EngineError("the reference engine offloads nothing; use the cpu engine")
    }
    if options.verify { try graph.verify() }
    for node in graph.nodes { try Self.check(node) }
    return ReferenceExecutable(graph, options.group)
  }

  public func allocate(_ type: TensorType) -> any DeviceBuffer { HostBuffer(type) }

  private static func check(_ node: Node) throws {
    if node.operation is any ReferenceSemantics || node.operation is any ReferenceGroupSemantics { return }
    guard let composite = node.operation as? any CompositeOperation else {
      throw EngineError(
        "the reference engine has no semantics for \(type(of: node.operation).name); conform it to ReferenceSemantics"
      )
    }
    for inner in try composite.decomposition(node.operands.map(\.type)).nodes { try check(inner) }
  }

  /// The results of one operation.
  ///
  /// - Parameter group: the mesh that this is one rank of.
  public static func evaluate(
    _ operation: any PandoIR.Operation, _ operands: [ReferenceTensor], in group: MeshGroup? = nil
  ) throws -> [ReferenceTensor] {
    let types = try operation.resultTypes(operands.map(\.type))
    if let primitive = operation as? any ReferenceSemantics { return primitive.evaluate(operands, types) }
    if let exchange = operation as? any ReferenceGroupSemantics {
      return try exchange.evaluate(operands, types, in: group)
    }
    guard let composite = operation as? any CompositeOperation else {
      throw EngineError("the reference engine has no semantics for \(type(of: operation).name)")
    }
    return try evaluate(composite.decomposition(operands.map(\.type)), operands, in: group)
  }

  /// The outputs of a graph.
  ///
  /// - Parameter group: the mesh that this is one rank of.
  public static func evaluate(
    _ graph: Graph, _ arguments: [ReferenceTensor], in group: MeshGroup? = nil,
    inspect: (Node, [ReferenceTensor]) throws -> Void = { _, _ in }
  ) throws -> [ReferenceTensor] {
    guard arguments.map(\.type) == graph.inputs.map(\.value.type) else {
      throw EngineError("the graph takes \(graph.inputs.map(\.value.type)), got \(arguments.map(\.type))")
    }
    var values = [ReferenceTensor?](repeating: nil, count: graph.valueCount)
    for (input, argument) in zip(graph.inputs, arguments) { values[input.value.id] = argument }
    for node in graph.nodes {
      let results = try evaluate(node.operation, node.operands.map { values[$0.id]! }, in: group)
      for (value, result) in zip(node.results, results) { values[value.id] = result }
      try inspect(node, results)
    }
    return graph.outputs.map { values[$0.id]! }
  }
}

private final class ReferenceExecutable: Executable {
  let graph: Graph

  private let group: MeshGroup?

  init(_ graph: Graph, _ group: MeshGroup?) {
    self.graph = graph
    self.group = group
  }

  var inputs: [Graph.Input] { graph.inputs }
  var outputTypes: [TensorType] { graph.outputs.map(\.type) }

  /// Values live in Swift arrays, so there is no arena to plan.
  var memory: MemoryReport {
    MemoryReport(
      argumentBytes: inputs.reduce(0) { $0 + $1.value.type.byteCount },
      resultBytes: outputTypes.reduce(0) { $0 + $1.byteCount }, arenaBytes: 0, measuredArenaBytes: 0)
  }

  var compiledGraph: Graph { graph }

  func run(_ arguments: [any DeviceBuffer], into results: [any DeviceBuffer]) throws {
    try store(ReferenceEngine.evaluate(graph, arguments.map(Self.tensor), in: group), into: results)
  }

  func run(
    _ arguments: [any DeviceBuffer], into results: [any DeviceBuffer], timing record: (OperationTime) -> Void
  ) throws {
    let arguments = try arguments.map(Self.tensor)
    var (node, start) = (0, ContinuousClock.now)
    let outputs = try ReferenceEngine.evaluate(graph, arguments, in: group) { _, _ in
      record(OperationTime(node: node, start: start, end: .now))
      node += 1
      start = .now
    }
    try store(outputs, into: results)
  }

  private func store(_ outputs: [ReferenceTensor], into results: [any DeviceBuffer]) throws {
    for (output, buffer) in zip(outputs, results) {
      let host = HostBuffer(output.type)
      output.store(to: host.pointer)
      try buffer.write(from: host.pointer)
    }
  }

  func trace(_ arguments: [any DeviceBuffer], inspect: (Node, [HostBuffer]) throws -> Void) throws {
    _ = try ReferenceEngine.evaluate(graph, try arguments.map(Self.tensor), in: group) { node, results in
      let buffers = results.map { result in
        let buffer = HostBuffer(result.type)
        result.store(to: buffer.pointer)
        return buffer
      }
      try inspect(node, buffers)
    }
  }

  private static func tensor(_ buffer: any DeviceBuffer) throws -> ReferenceTensor {
    if let host = buffer as? HostBuffer { return ReferenceTensor(host) }
    let host = HostBuffer(buffer.type)
    try buffer.read(into: host.pointer)
    return ReferenceTensor(host)
  }
}
