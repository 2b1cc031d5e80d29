import Pando

/// Shifts and scales each row to mean 0 and variance 1, then applies a weight and a bias to each element. PyTorch:
/// `nn.LayerNorm`.
///
/// A row is the last dimensions of the input, `shape` of them; the output has the input's shape. Ba et al. 2016,
/// arXiv:1607.06450.
public struct LayerNorm: PureLayer {
  /// Of a row's shape.
  public let weight: Parameter?
  /// Of a row's shape.
  public let bias: Parameter?
  /// A row's shape.
  public let shape: [Int]
  /// Added to the variance.
  public let epsilon: Double
  private let site: Site

  /// A norm of rows of `shape`.
  ///
  /// - Parameters:
  ///   - affine: whether there are a weight and a bias.
  ///   - bias: whether there is a bias beside the weight.
  ///   - axes: a name for each of the row's dimensions.
  ///   - growth: how much wider a row is than in a base model.
  public init(
    _ shape: [Int], epsilon: Double = 1e-5, affine: Bool = true, bias: Bool = true, axes: [String?] = [],
    growth: WidthGrowth = .none, dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.shape = shape
    self.epsilon = epsilon
    weight =
      affine ? Parameter(shape, .ones, role: .unregularized, axes: axes, growth: growth, dtype: dtype) : nil
    self.bias =
      affine && bias
      ? Parameter(shape, .zeros, role: .unregularized, axes: axes, growth: growth, dtype: dtype) : nil
    site = Site(file, line)
  }

  /// A norm of the last dimension, which has `features` elements.
  public init(
    _ features: Int, epsilon: Double = 1e-5, affine: Bool = true, bias: Bool = true, axes: [String?] = [],
    growth: WidthGrowth = .none, dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(
      [features], epsilon: epsilon, affine: affine, bias: bias, axes: axes, growth: growth, dtype: dtype,
      file: file,
      line: line)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    layerNorm(
      x, shape: shape, weight: weight?.tensor, bias: bias?.tensor, epsilon: epsilon, file: site.file,
      line: site.line)
  }
}

/// Divides each row by its root mean square, then multiplies each element by a weight. PyTorch: `nn.RMSNorm`.
///
/// A row is the last dimension; the output has the input's shape. Zhang and Sennrich 2019, arXiv:1910.07467.
public struct RMSNorm: PureLayer {
  /// `[features]`
  public let weight: Parameter
  /// Added to the mean square.
  public let epsilon: Double
  private let site: Site

  /// A norm of the last dimension, which has `features` elements.
  public init(
    _ features: Int, epsilon: Double = 1e-6, axes: [String?] = [], dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    weight = Parameter([features], .ones, role: .unregularized, axes: axes, dtype: dtype)
    self.epsilon = epsilon
    site = Site(file, line)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    rmsNorm(
      x, shape: weight.type.shape, weight: weight.tensor, epsilon: epsilon, file: site.file, line: site.line)
  }
}

/// Shifts and scales each group of channels of each sample to mean 0 and variance 1, then applies a weight and a bias
/// to each channel. PyTorch: `nn.GroupNorm`.
///
/// Input and output `[samples, channels, …]`. Wu and He 2018, arXiv:1803.08494.
public struct GroupNorm: PureLayer {
  /// `[channels]`
  public let weight: Parameter
  /// `[channels]`
  public let bias: Parameter
  /// How many groups the channels form, neighbours together.
  public let groups: Int
  /// Added to the variance.
  public let epsilon: Double
  private let site: Site

  /// A norm of `channels` channels in `groups` groups.
  public init(
    groups: Int, _ channels: Int, epsilon: Double = 1e-5, dtype: DType = .float32,
    file: StaticString = #fileID,
    line: UInt = #line
  ) {
    precondition(
      groups > 0 && channels.isMultiple(of: groups), "\(groups) groups do not divide \(channels) channels")
    weight = Parameter([channels], .ones, role: .unregularized, dtype: dtype)
    bias = Parameter([channels], .zeros, role: .unregularized, dtype: dtype)
    self.groups = groups
    self.epsilon = epsilon
    site = Site(file, line)
  }

  public func callAsFunction(_ x: Tensor) -> Tensor {
    groupNorm(
      x, groups: groups, weight: weight.tensor, bias: bias.tensor, epsilon: epsilon, file: site.file,
      line: site.line)
  }
}
