import Pando

/// A layer or a model: a value whose stored properties are parameters and other modules.
///
/// A parameter's name is its property path, as in PyTorch: `hidden.weight`, `blocks.0.norm1.bias`.
public protocol Module: Sendable {}

/// A module that passes its members' names on without one of its own, numbered from 0: PyTorch's `Sequential`.
public protocol ModuleSequence: Module {
  /// The members in order.
  var members: [any Module] { get }
}

/// A module that maps one tensor to one tensor.
public protocol Layer: Module {
  /// The output for `x`; `context` says whether this is training, and draws the random numbers.
  func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor
}

/// A layer that does the same in training and evaluation.
public protocol PureLayer: Layer {
  /// The output for `x`.
  func callAsFunction(_ x: Tensor) -> Tensor
}

extension PureLayer {
  /// The output for `x`; the context makes no difference.
  public func callAsFunction(_ x: Tensor, _ context: Context) -> Tensor { self(x) }
}
