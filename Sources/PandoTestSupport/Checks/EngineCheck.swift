import PandoEngine
import PandoIR
import PandoOperations

/// Judges an engine by the reference semantics.
public enum EngineCheck {
  /// Runs a sample on `engine` and on the reference engine.
  ///
  /// Floating-point results may differ by `tolerance` relative to the largest magnitude in the result: 2e-6 for
  /// float32 (or the sample's own), 1e-12 for float64, one unit in the last place for the 16-bit types.
  /// - Returns: what differs, or `nil`.
  public static func difference(_ sample: OperationSample, _ engine: any Engine, threads: Int = 2) throws
    -> String?
  {
    var builder = GraphBuilder()
    let operands = sample.makeOperands()
    let inputs = operands.enumerated().map { builder.input("operand\($0.offset)", $0.element.type) }
    builder.setOutputs(try builder.emit(sample.operation, operands: inputs))
    return try difference(builder.graph, operands, engine, threads: threads, tolerance: sample.tolerance)
  }

  /// The same for a whole graph.
  public static func difference(
    _ graph: Graph, _ arguments: [ReferenceTensor], _ engine: any Engine, threads: Int = 2,
    tolerance: Double? = nil
  ) throws -> String? {
    let expected = try ReferenceEngine.evaluate(graph, arguments)
    let executable = try engine.compile(graph, options: CompileOptions(threads: threads, verify: true))
    let buffers = try arguments.map { argument in
      let host = HostBuffer(argument.type)
      argument.store(to: host.pointer)
      let buffer = try engine.allocate(argument.type)
      try buffer.write(from: host.pointer)
      return buffer
    }
    let results = try executable.outputTypes.map { try engine.allocate($0) }
    // Twice: a program must not depend on what a run before it has left in its memory.
    try executable.run(buffers, into: results)
    try executable.run(buffers, into: results)
    let memory = executable.memory
    guard memory.measuredArenaBytes == memory.arenaBytes else {
      return "planned \(memory.arenaBytes) arena bytes, used \(memory.measuredArenaBytes)"
    }
    for (place, (result, reference)) in zip(results, expected).enumerated() {
      let host = HostBuffer(result.type)
      try result.read(into: host.pointer)
      if let difference = difference(ReferenceTensor(host), reference, tolerance) {
        return "result \(place): \(difference)"
      }
    }
    return nil
  }

  /// What differs between two tensors, or `nil`.
  public static func difference(
    _ actual: ReferenceTensor, _ expected: ReferenceTensor, _ tolerance: Double? = nil
  ) -> String? {
    guard actual.type == expected.type else { return "type \(actual.type), expected \(expected.type)" }
    guard actual.type.dtype.isFloatingPoint else {
      for (index, (x, y)) in zip(actual.integers, expected.integers).enumerated() where x != y {
        return "element \(index) is \(x), expected \(y)"
      }
      return nil
    }
    let relative =
      switch actual.type.dtype {
      case .float64: 1e-12
      case .bfloat16: max(tolerance ?? 0, 0x1p-7)
      case .float16: max(tolerance ?? 0, 0x1p-10)
      default: tolerance ?? 2e-6
      }
    let scale = expected.reals.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
    for (index, (x, y)) in zip(actual.reals, expected.reals).enumerated() {
      if x == y || (x.isNaN && y.isNaN) { continue }
      if !(abs(x - y) <= relative * max(scale, 1e-30)) {
        return "element \(index) is \(x), expected \(y) (relative to \(scale): \(abs(x - y) / scale))"
      }
    }
    return nil
  }
}

extension EngineCheck {
  /// A sample's results and the gradients of a random weighting of them, as one graph with its arguments; `nil` where
  /// no operand can have a gradient.
  public static func gradientGraph(_ sample: OperationSample) throws -> (Graph, [ReferenceTensor])? {
    let operands = sample.makeOperands()
    let wanted = operands.indices.filter { operands[$0].type.dtype.isFloatingPoint }
    guard !wanted.isEmpty else { return nil }
    var body = GraphBuilder()
    let inputs = operands.enumerated().map { body.input("operand\($0.offset)", $0.element.type) }
    body.setOutputs(try body.emit(sample.operation, operands: inputs))

    var builder = GraphBuilder()
    var arguments = operands
    let outer = body.graph.inputs.map { builder.input($0.name, $0.value.type) }
    var random = SampleRandom(seed: 11)
    var cotangents: [Value?] = []
    for (place, output) in body.graph.outputs.enumerated() {
      guard output.type.dtype.isFloatingPoint else {
        cotangents.append(nil)
        continue
      }
      cotangents.append(builder.input("cotangent\(place)", output.type))
      arguments.append(
        ReferenceTensor(output.type, real: { _ in random.unit() * 2 - 1 }, integer: { _ in 0 }))
    }
    let (outputs, gradients) = try builder.reverse(
      body.graph, arguments: outer, cotangents: cotangents, wanted: wanted)
    builder.setOutputs(outputs + gradients.compactMap { $0 })
    return (builder.graph, arguments)
  }
}
