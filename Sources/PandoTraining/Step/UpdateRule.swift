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
    /// Whether loss and norm are finite; if not, parameters and slots are the old ones.
    let isFinite: Tensor
  }

  let state: TrainingState
  let recipe: Recipe
  let optimizer: any Optimizer
  let rate: Tensor
  let step: Tensor

  func apply(gradients: [Tensor], loss: Tensor) -> Result {
    var gradients = gradients
    if let limit = recipe.train.clipValue { gradients = clipByValue(gradients, limit) }
    let norm = globalNorm(gradients)
    let scale = recipe.train.clipNorm.map { clipFactor(norm: norm, $0) } ?? Tensor(1)
    let finite = isFinite(loss + norm)
    // Clipping and the choice between old and new happen inside the optimizer's own sweep.
    let guardian = UpdateGuard(gradientScale: scale, accepted: finite)
    var parameters: [Tensor] = []
    var slots: [Tensor] = []
    for (place, index) in state.trainable.enumerated() {
      let named = state.parameters[index]
      let old = state.weights[index].placeholder
      let oldSlots = state.slots[place].map(\.placeholder)
      let update = optimizer.update(
        parameter: old, gradient: gradients[place], state: oldSlots, learningRate: rate, step: step,
        decays: recipe.train.optimizer.decayNormsAndBiases || named.parameter.role == .weight,
        guardedBy: guardian)
      parameters.append(update.parameter)
      slots += update.state
    }
    return Result(parameters: parameters, slots: slots, norm: norm, isFinite: finite)
  }
}
