import PandoEngine
import PandoIR
import Synchronization

/// Keeps the compiled program of a function of tensors: it is traced and compiled once for each combination of input
/// types, and then only run.
///
///     let step = compile { inputs in [tanh(matmul(inputs[0], inputs[1]))] }
///     let y = try step([x, w])[0]
///
/// The function is called with placeholders, so it must not read numbers.
public func compile(
  on device: Device = .cpu, _ function: @escaping @Sendable ([Tensor]) throws -> [Tensor]
) -> CompiledFunction { CompiledFunction(device, function) }

/// A function that `compile` has kept.
public final class CompiledFunction: Sendable {
  private struct Entry: Sendable {
    let program: CachedProgram
    /// Tensors with known numbers that the function uses beside its inputs.
    let constants: [HostBuffer]
  }

  private let device: Device
  private let function: @Sendable ([Tensor]) throws -> [Tensor]
  private let entries = Mutex<[[TensorType]: Entry]>([:])

  init(_ device: Device, _ function: @escaping @Sendable ([Tensor]) throws -> [Tensor]) {
    self.device = device
    self.function = function
  }

  /// Runs the function.
  ///
  /// - Throws: `TypeError` or `EngineError` where it cannot be traced or compiled for these types.
  public func callAsFunction(_ inputs: [Tensor]) throws -> [Tensor] {
    let arguments = try Tensor.buffers(inputs, on: device)
    let entry = try entry(arguments.map(\.type))
    return try entry.program.run(arguments + entry.constants).map { Tensor($0) }
  }

  private func entry(_ types: [TensorType]) throws -> Entry {
    if let known = entries.withLock({ $0[types] }) { return known }
    let placeholders = types.enumerated().map { Tensor.placeholder("input\($0.offset)", $0.element) }
    let trace = try Trace(function(placeholders), inputs: placeholders, usingKnownNumbers: true)
    let constants = try trace.leaves.dropFirst(placeholders.count).map { leaf in
      guard let buffer = leaf.node.buffer(leaf.index) else {
        throw EngineError(
          "the function depends on \(leaf.placeholderName ?? "a placeholder"), which is not its input")
      }
      return buffer
    }
    // Tensors that the function has caught, such as a network's weights, keep their numbers.
    let program = try device.program(
      trace.graph, frozen: Set(placeholders.count..<trace.leaves.count))
    let entry = Entry(program: program, constants: Array(constants))
    entries.withLock { $0[types] = entry }
    return entry
  }
}
