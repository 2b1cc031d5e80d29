import Pando

/// A tensor that belongs to a layer: what training changes, or a running statistic.
///
/// A parameter is an identity, not numbers: the numbers live with whoever runs the model, under the parameter's name.
/// Two layers that hold the same parameter share it.
public final class Parameter: Sendable {
  /// What a parameter is for.
  public enum Role: Hashable, Sendable {
    /// Trained by gradient descent.
    case weight
    /// Trained by gradient descent, but not decayed: a bias, or the scale or shift of a normalization.
    case unregularized
    /// Kept up to date by the forward pass: PyTorch's buffer.
    case statistic
  }

  /// Shape and element type.
  public let type: TensorType
  /// What it is for.
  public let role: Role
  /// How its numbers begin.
  public let initializer: Initializer
  /// A name for each dimension (`embed`, `mlp`, …) by which a parallel strategy finds it; `nil` for one that is never
  /// split.
  public let axes: [String?]
  /// How much wider its layer is than in a base model; `.none` in the standard parametrization.
  public let growth: WidthGrowth
  /// The stand-in for its numbers.
  public let tensor: Tensor

  /// A parameter of `shape`.
  public init(
    _ shape: [Int], _ initializer: Initializer, role: Role = .weight, axes: [String?] = [],
    growth: WidthGrowth = .none, dtype: DType = .float32
  ) {
    type = TensorType(shape, dtype)
    self.role = role
    self.initializer = initializer
    self.axes = axes.isEmpty ? shape.map { _ in nil } : axes
    self.growth = growth
    tensor = .placeholder("parameter", type)
  }

  /// Whether gradient descent changes it.
  public var isTrainable: Bool { role != .statistic }
}
