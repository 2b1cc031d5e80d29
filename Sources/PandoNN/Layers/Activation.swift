import Pando

/// A function between layers, chosen by name.
public enum Activation: String, CaseIterable, Hashable, PureLayer {
  case relu, gelu, silu, tanh, sigmoid

  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .relu: Pando.relu(x)
    case .gelu: Pando.gelu(x)
    case .silu: Pando.silu(x)
    case .tanh: Pando.tanh(x)
    case .sigmoid: Pando.sigmoid(x)
    }
  }
}

/// max(x, 0) as a layer. PyTorch: `nn.ReLU`.
public struct ReLU: PureLayer {
  /// The rectifier.
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { relu(x) }
}

/// `leakyReLU` as a layer. PyTorch: `nn.LeakyReLU`.
public struct LeakyReLU: PureLayer {
  private let slope: Double
  /// A rectifier that lets `slope` of the negative side through.
  public init(slope: Double = 0.01) { self.slope = slope }
  public func callAsFunction(_ x: Tensor) -> Tensor { leakyReLU(x, slope: slope) }
}

/// `elu` as a layer. PyTorch: `nn.ELU`.
public struct ELU: PureLayer {
  private let alpha: Double
  /// An exponential linear unit that tends to `-alpha`.
  public init(alpha: Double = 1) { self.alpha = alpha }
  public func callAsFunction(_ x: Tensor) -> Tensor { elu(x, alpha: alpha) }
}

/// `gelu` as a layer. PyTorch: `nn.GELU`.
public struct GELU: PureLayer {
  private let tanh: Bool
  /// A Gaussian error linear unit; `tanh` picks GPT-2's approximation.
  public init(tanh: Bool = false) { self.tanh = tanh }
  public func callAsFunction(_ x: Tensor) -> Tensor { gelu(x, approximation: tanh ? .tanh : .none) }
}

/// `silu` as a layer. PyTorch: `nn.SiLU`.
public struct SiLU: PureLayer {
  /// The sigmoid-weighted unit.
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { silu(x) }
}

/// `sigmoid` as a layer. PyTorch: `nn.Sigmoid`.
public struct Sigmoid: PureLayer {
  /// The logistic function.
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { sigmoid(x) }
}

/// `tanh` as a layer. PyTorch: `nn.Tanh`.
public struct Tanh: PureLayer {
  /// The hyperbolic tangent.
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { tanh(x) }
}

/// `softplus` as a layer. PyTorch: `nn.Softplus`.
public struct Softplus: PureLayer {
  /// The smooth rectifier.
  public init() {}
  public func callAsFunction(_ x: Tensor) -> Tensor { softplus(x) }
}

/// `softmax` as a layer. PyTorch: `nn.Softmax`.
public struct Softmax: PureLayer {
  private let dimension: Int
  /// A softmax along a dimension; negative numbers count from the last.
  public init(dimension: Int = -1) { self.dimension = dimension }
  public func callAsFunction(_ x: Tensor) -> Tensor { softmax(x, dimension: dimension) }
}
