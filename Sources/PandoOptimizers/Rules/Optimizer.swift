import Pando
import PandoNN

/// A rule by which a gradient changes a parameter.
///
/// A rule is a value: what it remembers from step to step are tensors that the caller keeps, all beginning as zeros.
public protocol Optimizer: Sendable {
  /// The rule's name, as in recipes.
  var name: String { get }

  /// The tensors that it keeps for a parameter of this type, in the order of `update`'s state. The names are
  /// PyTorch's.
  func slots(for type: TensorType) -> [(name: String, type: TensorType)]

  /// One step.
  ///
  /// - Parameters:
  ///   - gradient: of the parameter's shape.
  ///   - state: the tensors of `slots`.
  ///   - learningRate: a float32 scalar.
  ///   - step: a float32 scalar, 1 for the first step.
  ///   - decays: whether weight decay applies to this parameter.
  ///   - guardian: by what the gradient is multiplied first, and whether the step is taken at all; `nil` for 1 and yes.
  ///   - draw: random numbers for a state in 16 bits; a rule that keeps none has no use for them.
  /// - Returns: what parameter and state become, of the same types.
  func update(
    parameter: Tensor, gradient: Tensor, state: [Tensor], learningRate: Tensor, step: Tensor, decays: Bool,
    guardedBy guardian: UpdateGuard?, roundedBy draw: UpdateDraw?
  ) -> (parameter: Tensor, state: [Tensor])

  /// The rule for a parameter of a wider model than the one on which its settings were tuned, and by what the learning
  /// rate is multiplied for it: the maximal update parametrization (Yang et al. 2022, arXiv:2203.03466, table 8). What
  /// weight decay does in a step does not depend on the width.
  func adapted(to growth: WidthGrowth) -> (rule: any Optimizer, rateFactor: Double)
}

extension Optimizer {
  /// One step of a rule whose state is not in 16 bits; without a guard it is taken in any case.
  public func update(
    parameter: Tensor, gradient: Tensor, state: [Tensor], learningRate: Tensor, step: Tensor, decays: Bool,
    guardedBy guardian: UpdateGuard? = nil
  ) -> (parameter: Tensor, state: [Tensor]) {
    precondition(
      state.allSatisfy { $0.type.dtype.byteCount > 2 },
      "the state of \(name) is in 16 bits: give roundedBy a draw, or what a step changes is lost in rounding")
    return update(
      parameter: parameter, gradient: gradient, state: state, learningRate: learningRate, step: step,
      decays: decays, guardedBy: guardian, roundedBy: nil)
  }
}

extension NamedParameter {
  /// Whether weight decay usually applies: to weights, but not to biases and norms.
  public var decays: Bool { parameter.role == .weight }
}
