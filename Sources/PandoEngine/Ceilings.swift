import PandoIR

/// What a machine can do at its best, by kind of work; figures of one process with its threads.
///
/// The time of an operation is what its arithmetic takes at the ceiling of its kind, or what its bytes take, whichever
/// is longer, and a little for starting it (Williams et al. 2009, "Roofline").
public struct Ceilings: Hashable, Sendable, Codable {
  /// Floating-point operations a second of matrix products, of 32-bit and of 16-bit operands.
  public var product = 200e9, product16 = 400e9
  /// Floating-point operations a second of convolutions.
  public var convolution = 200e9, convolution16 = 400e9
  /// Floating-point operations a second of fused attention.
  public var attention = 150e9, attention16 = 150e9
  /// Elementary functions of sweeps over memory, each counted as one, a second.
  public var sweep = 10e9
  /// Bytes read and written a second, from and to memory and within the caches.
  public var memoryBandwidth = 25e9, cacheBandwidth = 100e9
  /// Bytes that the caches hold.
  public var cacheBytes = 8e6
  /// Seconds from one operation to the next where neither does anything.
  public var launchSeconds = 2e-6

  /// Round figures of a processor with two cores and wide vectors, for a machine that nobody has measured.
  public init() {}

  /// About how long a node takes.
  public func seconds(of node: Node) -> Double {
    if node.operation.traits.contains(.alias) { return 0 }
    let cost = node.operation.cost(node.operands.map(\.type), node.results.map(\.type))
    let isShort = node.operands.first.map { $0.type.dtype.isFloatingPoint && $0.type.dtype.byteCount == 2 }
    return seconds(of: cost, isShort: isShort ?? false)
  }

  /// About how long work takes.
  ///
  /// - Parameter isShort: whether the operands are of a 16-bit type.
  public func seconds(of cost: Cost, isShort: Bool = false) -> Double {
    let rate =
      switch cost.kind {
      case .product: isShort ? product16 : product
      case .convolution: isShort ? convolution16 : convolution
      case .attention: isShort ? attention16 : attention
      case .sweep: sweep
      }
    let bandwidth = Double(cost.bytes) <= cacheBytes ? cacheBandwidth : memoryBandwidth
    return max(Double(cost.flops) / rate, Double(cost.bytes) / bandwidth) + launchSeconds
  }
}
