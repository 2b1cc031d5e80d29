import PandoEngine
import PandoIR

extension Tensor {
  /// The numbers, computed on `device` where they are not known yet.
  ///
  /// - Throws: `TypeError` where an operation has failed; `EngineError` where the device cannot do one, or the tensor
  ///   depends on a placeholder.
  public func buffer(on device: Device = .cpu) throws -> HostBuffer {
    try Tensor.buffers([self], on: device)[0]
  }

  /// The numbers of several tensors, computed together.
  public static func buffers(_ tensors: [Tensor], on device: Device = .cpu) throws -> [HostBuffer] {
    let unknown = tensors.filter { $0.node.buffer($0.index) == nil }
    if !unknown.isEmpty {
      let trace = try Trace(unknown, usingKnownNumbers: true)
      let arguments = try trace.leaves.map { leaf in
        guard let buffer = leaf.node.buffer(leaf.index) else {
          throw EngineError(
            "\(leaf.placeholderName ?? "a placeholder") has no numbers; give it some by compiling a function of it"
          )
        }
        return buffer
      }
      let results = try device.program(trace.graph).run(arguments)
      for (tensor, result) in zip(unknown, results) { tensor.node.keep(result, tensor.index) }
    }
    return tensors.map { $0.node.buffer($0.index)! }
  }

  /// The number of a tensor with one element.
  public func scalar(on device: Device = .cpu) throws -> Double {
    let buffer = try buffer(on: device)
    guard buffer.type.count == 1 else {
      throw TypeError(operation: "scalar", "needs one element, got \(buffer.type); reduce it first")
    }
    return buffer.doubles[0]
  }

  /// All elements, row-major, as 32-bit floats.
  public func floats(on device: Device = .cpu) throws -> [Float] {
    try buffer(on: device).doubles.map { Float($0) }
  }

  /// All elements, row-major, as Double.
  public func doubles(on device: Device = .cpu) throws -> [Double] { try buffer(on: device).doubles }
}

extension Tensor: CustomStringConvertible {
  /// The type, and what kind of tensor it is; reading numbers is `floats()`.
  public var description: String {
    switch node.kind {
    case .buffer: "tensor \(type)"
    case .placeholder(let label): "placeholder \(label.name) \(type)"
    case .operation(let operation, _, _): "tensor \(type) from \(Swift.type(of: operation).name)"
    case .failed(let error): "failed tensor: \(error)"
    }
  }
}
