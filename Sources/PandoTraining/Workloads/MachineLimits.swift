import Pando

/// What a machine can do at most, as measured: billions of floating-point operations, and of bytes, each second.
public struct MachineLimits: Sendable, Codable {
  /// By element type, in a large matrix product.
  public private(set) var gflops: [String: Double] = [:]
  /// To and from memory, in a sum of two tensors that no cache holds.
  public let gigabytesPerSecond: Double

  enum CodingKeys: String, CodingKey {
    case gflops
    case gigabytesPerSecond = "gb_per_s"
  }

  /// Measures a device.
  ///
  /// - Parameter dtypes: the element types whose products are measured.
  /// - Throws: `EngineError` where the device has no product of such a type.
  public init(of device: Device, dtypes: Set<DType>) throws {
    for dtype in dtypes { gflops[dtype.rawValue] = try Self.matmulGflops(on: device, dtype) }
    gigabytesPerSecond = try Self.streamingGigabytes(on: device)
  }

  /// Billions of floating-point operations each second in a product of two large matrices: the best of several shapes,
  /// square ones and those of a transformer's layers, with the second operand as it is and transposed.
  public static func matmulGflops(on device: Device, _ dtype: DType = .float32) throws -> Double {
    let shapes = [(2048, 2048, 2048), (2048, 384, 1536), (2048, 1536, 384)]
    return try shapes.flatMap { m, k, n in
      try ["ik,kj->ij", "ik,jk->ij"].map { try productGflops(m, k, n, $0, dtype, device) }
    }.max()!
  }

  private static func productGflops(
    _ m: Int, _ k: Int, _ n: Int, _ labels: String, _ dtype: DType, _ device: Device
  ) throws -> Double {
    let types = [
      TensorType([m, k], dtype), TensorType(labels == "ik,kj->ij" ? [k, n] : [n, k], dtype),
    ]
    let inputs = types.enumerated().map { Tensor.placeholder("\($0.offset)", $0.element) }
    let program = try Program([einsum(labels, inputs[0], inputs[1])], inputs: inputs, on: device)
    let operands = types.map { Tensor.full($0.shape, 1.0 / 3, dtype: dtype) }
    program.bind(
      try Tensor.buffers(operands, on: device), into: [HostBuffer(TensorType([m, n], dtype))])
    return 2 * Double(m * k * n) / (try shortest(of: 6, program)) / 1e9
  }

  /// Billions of bytes each second in a sum of two tensors of 128 MiB, two read and one written: the best of several.
  private static func streamingGigabytes(on device: Device) throws -> Double {
    let type = TensorType([1 << 25])
    let (a, b) = (Tensor.placeholder("a", type), Tensor.placeholder("b", type))
    let program = try Program([a + b], inputs: [a, b], on: device)
    let buffers = (0..<3).map { _ in HostBuffer(type) }
    program.bind([buffers[0], buffers[1]], into: [buffers[2]])
    return 3 * Double(type.byteCount) / (try shortest(of: 5, program)) / 1e9
  }

  private static func shortest(of count: Int, _ program: Program) throws -> Double {
    var best = Double.infinity
    for _ in 0..<count {
      let start = ContinuousClock.now
      try program.run()
      best = min(best, start.duration(to: .now) / .seconds(1))
    }
    return best
  }
}
