import Pando
import PandoNN
import PandoOptimizers

/// From gradients to new parameters: clipping, decay groups, the optimizer, and the guard against numbers that are not
/// finite.
struct UpdateRule {
  /// What an update gives.
  struct Result {
    let parameters: [Tensor]
    let slots: [Tensor]
    /// The gradients' joint Euclidean norm before clipping.
    let norm: Tensor
    /// The mean over all places of the step that count.
    let loss: Tensor
    /// What layers tell of themselves.
    var figures: [Tensor] = []
    /// Whether loss and norm are finite; if not, parameters and slots are the old ones.
    let isFinite: Tensor
  }

  let state: TrainingState
  let recipe: Recipe
  let optimizer: any Optimizer
  let rate: Tensor
  let step: Tensor
  /// Whether not all places count, and the second total is what the loss must be divided by.
  let isCounted: Bool

  /// Networks draw under keys of their own from streams that are counted from 0.
  private static let firstStream = 1 << 29

  /// The seed, and the step's number: the same on every rank, and after a resumption.
  private var drawKey: Tensor {
    let seed = Tensor(HostBuffer(TensorType([1], .int64), [Int64(recipe.seed)]))
    return concatenate([seed, step.cast(.int64).reshape(1)])
  }

  /// - Parameter totals: as `StepTensors.totals`, of the whole step.
  func apply(gradients: [Tensor], totals: [Tensor]) -> Result {
    let settled = settled(gradients, totals: totals)
    var result = update(settled.gradients, loss: settled.loss, norm: globalNorm(settled.gradients))
    result.figures = Array(totals.dropFirst(isCounted ? 2 : 1))
    return result
  }

  /// The gradients of the mean over all places that count, with the limit of each element kept, and that mean.
  func settled(_ gradients: [Tensor], totals: [Tensor]) -> (gradients: [Tensor], loss: Tensor) {
    var (gradients, loss) = (gradients, totals[0])
    if isCounted {
      gradients = gradients.map { $0 / totals[1] }
      loss = loss / totals[1]
    }
    if let limit = recipe.train.clipValue { gradients = clipByValue(gradients, limit) }
    return (gradients, loss)
  }

  /// New parameters from settled gradients.
  ///
  /// - Parameters:
  ///   - places: which of the trained parameters they are of, in order; all where `nil`.
  ///   - norm: the joint norm of the gradients of all parameters.
  func update(_ gradients: [Tensor], at places: [Int]? = nil, loss: Tensor, norm: Tensor) -> Result {
    let scale = recipe.train.clipNorm.map { clipFactor(norm: norm, $0) } ?? Tensor(1)
    let finite = isFinite(loss + norm)
    // Clipping and the choice between old and new happen inside the optimizer's own sweep.
    let guardian = UpdateGuard(gradientScale: scale, accepted: finite)
    let key = drawKey
    var parameters: [Tensor] = []
    var slots: [Tensor] = []
    for (place, gradient) in zip(places ?? Array(state.trainable.indices), gradients) {
      let index = state.trainable[place]
      let named = state.parameters[index]
      let old = state.weights[index].placeholder
      let oldSlots = state.slots[place].map(\.placeholder)
      let (rule, factor) = optimizer.adapted(to: named.parameter.growth)
      let update = rule.update(
        parameter: old, gradient: gradient, state: oldSlots,
        learningRate: factor == 1 ? rate : rate * factor, step: step,
        decays: recipe.train.optimizer.decayNormsAndBiases || named.parameter.role == .weight,
        guardedBy: guardian,
        roundedBy: UpdateDraw(key: key, stream: Self.firstStream + place))
      parameters.append(update.parameter)
      slots += update.state
    }
    return Result(parameters: parameters, slots: slots, norm: norm, loss: loss, isFinite: finite)
  }
}
