import Pando

/// What batch norms of any rank have in common.
///
/// In training each channel is shifted and scaled to mean 0 and variance 1 over the batch, and the running statistics
/// move by `momentum` towards the batch's (the variance towards the unbiased estimate, as in PyTorch). In evaluation
/// the running statistics are used. Ioffe and Szegedy 2015, arXiv:1502.03167.
public protocol BatchNormalization: Layer {
  /// `[channels]`
  var weight: Parameter { get }
  /// `[channels]`
  var bias: Parameter { get }
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// `[channels]`: the mean used in evaluation.
  var running_mean: Parameter { get }
  // swift-format-ignore: AlwaysUseLowerCamelCase
  /// `[channels]`: the variance used in evaluation.
  var running_var: Parameter { get }
  /// Added to the variance.
  var epsilon: Double { get }
  /// The share of a batch's statistics in the running ones.
  var momentum: Double { get }
}

/// Batch norm of features `[samples, channels]` or sequences `[samples, channels, length]`. PyTorch: `nn.BatchNorm1d`.
public struct BatchNorm1d: BatchNormalization {
  public let weight: Parameter
  public let bias: Parameter
  // swift-format-ignore: AlwaysUseLowerCamelCase
  public let running_mean: Parameter
  // swift-format-ignore: AlwaysUseLowerCamelCase
  public let running_var: Parameter
  public let epsilon: Double
  public let momentum: Double
  private let site: Site

  /// A batch norm of `channels` channels.
  public init(
    _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    (weight, bias, running_mean, running_var) = Parameter.batchNorm(channels, dtype)
    self.epsilon = epsilon
    self.momentum = momentum
    site = Site(file, line)
  }

  public func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
    normalize(x, ranks: 2...3, "[samples, channels] or [samples, channels, length]", context, site)
  }
}

/// Batch norm of images `[samples, channels, height, width]`. PyTorch: `nn.BatchNorm2d`.
public struct BatchNorm2d: BatchNormalization {
  public let weight: Parameter
  public let bias: Parameter
  // swift-format-ignore: AlwaysUseLowerCamelCase
  public let running_mean: Parameter
  // swift-format-ignore: AlwaysUseLowerCamelCase
  public let running_var: Parameter
  public let epsilon: Double
  public let momentum: Double
  private let site: Site

  /// A batch norm of `channels` channels.
  public init(
    _ channels: Int, epsilon: Double = 1e-5, momentum: Double = 0.1, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    (weight, bias, running_mean, running_var) = Parameter.batchNorm(channels, dtype)
    self.epsilon = epsilon
    self.momentum = momentum
    site = Site(file, line)
  }

  public func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor {
    normalize(x, ranks: 4...4, "[samples, channels, height, width]", context, site)
  }
}

extension BatchNormalization {
  fileprivate func normalize(
    _ x: Tensor, ranks: ClosedRange<Int>, _ layout: String, _ context: Context, _ site: Site
  ) -> Tensor {
    if x.failure != nil { return x }
    let channels = weight.type.count
    guard ranks.contains(x.rank), x.size(1) == channels else {
      return .failed(
        "batch_norm", "takes \(layout) with \(channels) channels, got \(x.type)", like: weight.tensor,
        file: site.file, line: site.line)
    }
    guard context.isTraining else {
      return batchNorm(
        x, weight: weight.tensor, bias: bias.tensor, mean: running_mean.tensor, variance: running_var.tensor,
        epsilon: epsilon, file: site.file, line: site.line)
    }
    let count = x.type.count / max(1, channels)
    guard count > 1 else {
      return .failed(
        "batch_norm", "training needs more than one value in each channel, got \(x.type); use a larger batch",
        like: weight.tensor, file: site.file, line: site.line)
    }
    let (y, mean, variance) = batchNorm(
      x, weight: weight.tensor, bias: bias.tensor, epsilon: epsilon, file: site.file, line: site.line)
    let unbiased = variance * (Double(count) / Double(count - 1))
    for (statistic, value) in [(running_mean, mean), (running_var, unbiased)] {
      let moved = statistic.tensor * (1 - momentum) + value.cast(statistic.type.dtype) * momentum
      context.update(statistic, to: moved)
    }
    return y
  }
}

extension Parameter {
  fileprivate static func batchNorm(
    _ channels: Int, _ dtype: DType
  ) -> (weight: Parameter, bias: Parameter, mean: Parameter, variance: Parameter) {
    precondition(channels > 0, "a batch norm needs at least one channel")
    return (
      Parameter([channels], .ones, role: .unregularized, dtype: dtype),
      Parameter([channels], .zeros, role: .unregularized, dtype: dtype),
      Parameter([channels], .zeros, role: .statistic, dtype: dtype),
      Parameter([channels], .ones, role: .statistic, dtype: dtype)
    )
  }
}
