import Pando

/// How a parameter's numbers begin. The numbers depend on the seed and the parameter's name only: not on other
/// parameters, the number of workers or the device.
public enum Initializer: Hashable, Sendable {
  /// The same number everywhere.
  case constant(Double)
  /// Uniform between `-bound` and `bound`.
  case uniform(bound: Double)
  /// Normal with this mean and standard deviation.
  case normal(mean: Double = 0, deviation: Double)

  /// All zero.
  public static let zeros = Initializer.constant(0)
  /// All one.
  public static let ones = Initializer.constant(1)

  /// PyTorch's default for weights and biases of linear and convolution layers: uniform in ±1/√fanIn (He et al., 2015,
  /// with a = √5).
  public static func fanIn(_ fanIn: Int) -> Initializer { .fanIn(Double(fanIn)) }

  /// The same for a number of inputs that a base model would have, which need not be whole.
  static func fanIn(_ fanIn: Double) -> Initializer {
    .uniform(bound: fanIn > 0 ? 1 / fanIn.squareRoot() : 0)
  }

  /// Kaiming normal for ReLU: deviation √(2/fan) (He et al., 2015).
  public static func kaimingNormal(fan: Int) -> Initializer {
    .normal(deviation: (2 / Double(Swift.max(1, fan))).squareRoot())
  }

  /// Xavier uniform: bound √(6/(fanIn+fanOut)) (Glorot and Bengio, 2010).
  public static func xavierUniform(fanIn: Int, fanOut: Int) -> Initializer {
    .uniform(bound: (6 / Double(Swift.max(1, fanIn + fanOut))).squareRoot())
  }

  /// The numbers for the parameter called `name`, whose type is a floating-point type.
  ///
  /// - Parameter threads: how many may draw; the numbers do not depend on it.
  public func makeBuffer(
    _ type: TensorType, name: String, seed: UInt64, threads: Int = Machine.threads
  ) -> HostBuffer {
    let stream = Self.stream(name)
    switch self {
    case .constant(0): return HostBuffer(type)
    case .constant(let value):
      return HostBuffer(type, doubles: Array(repeating: value, count: type.count))
    case .uniform(let bound):
      return .uniform(type, bound: bound, stream: stream, seed: seed, threads: threads)
    case .normal(let mean, let deviation):
      return .normal(
        type, mean: mean, deviation: deviation, stream: stream, seed: seed, threads: threads)
    }
  }

  /// FNV-1a over the name: which stream of random numbers a parameter has.
  private static func stream(_ name: String) -> UInt32 {
    name.utf8.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
  }
}
