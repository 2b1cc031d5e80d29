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

  /// Billions of floating-point operations each second in a product of two matrices of 2048×2048: the best of several.
  public static func matmulGflops(on device: Device, _ dtype: DType = .float32) throws -> Double {
    let size = 2048
    let type = TensorType([size, size], dtype)
    let (a, b) = (Tensor.placeholder("a", type), Tensor.placeholder("b", type))
    let program = try Program([matmul(a, b)], inputs: [a, b], on: device)
    let buffers = (0..<3).map { _ in
      HostBuffer(type, doubles: (0..<size * size).map { Double($0 % 17) - 8 })
    }
    program.bind([buffers[0], buffers[1]], into: [buffers[2]])
    return 2 * Double(size * size * size) / (try shortest(of: 6, program)) / 1e9
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
