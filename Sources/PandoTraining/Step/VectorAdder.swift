import Pando

/// Adds vectors of one length.
final class VectorAdder {
  let program: Program

  init(count: Int, on device: Device) throws {
    let type = TensorType([count])
    let (left, right) = (Tensor.placeholder("left", type), Tensor.placeholder("right", type))
    program = try Program([left + right], inputs: [left, right], donations: [0: 0], on: device)
  }

  /// Adds `right` to `left`.
  func add(
    _ right: HostBuffer, to left: HostBuffer, telling timing: ((Program, OperationTime) -> Void)? = nil
  ) throws {
    program.bind([left, right], into: [left])
    try program.run(telling: timing)
  }
}
