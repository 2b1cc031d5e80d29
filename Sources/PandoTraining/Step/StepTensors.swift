import Pando
import PandoNN
import PandoOptimizers

/// One forward and backward pass over a batch as tensors, before anything is compiled.
struct StepTensors {
  let x: Tensor
  let y: Tensor
  /// The key of the pass's random numbers.
  let key: Tensor
  let rate: Tensor
  let step: Tensor
  /// The mean over the batch and what layers add of their own, times the weight. Where some places are not counted, the sum over the others divided by
  /// the number of all.
  let loss: Tensor
  /// The share of the places that count, times the weight, where not all do: what the loss must be divided by once all
  /// of the step is added up.
  let counted: Tensor?
  /// The placeholders of the trained parameters, and the loss's gradient at each.
  let trained: [Tensor]
  let gradients: [Tensor]
  /// Places in `TrainingState.weights` of what is not trained, and its new values.
  let statistics: [Int]
  let newStatistics: [Tensor]

  /// - Parameter weight: what this pass counts in the step, from 0 to 1; loss and gradients are multiplied by it.
  init(
    _ state: TrainingState, task: TrainingTask, recipe: Recipe, batch: Int, weight: Double = 1
  ) throws {
    x = Tensor.placeholder("input", task.inputType.with(shape: [batch] + task.inputType.shape))
    y = Tensor.placeholder("target", task.targetType.with(shape: [batch] + task.targetType.shape))
    key = Tensor.placeholder("key", TensorType([2], .int64))
    rate = Tensor.placeholder("learning-rate", .scalar(.float32))
    step = Tensor.placeholder("step", .scalar(.float32))
    let context = Context.training(key: key)
    let logits = state.model(x, context)
    // The places of a text stay a dimension of their own, since they may be spread over ranks as samples are.
    let isAligned = Array(logits.shape.dropLast()) == y.shape
    let (scores, labels) = isAligned ? (logits, y) : (logits.reshape(-1, task.classes), y.reshape(-1))
    var exactLoss = crossEntropyRows(
      scores, labels, labelSmoothing: recipe.train.labelSmoothing, ignoring: task.ignoredTarget
    ).mean()
    let share = task.countedPlaces(labels).map { $0.mean() }
    if let more = context.auxiliaryLoss { exactLoss = exactLoss + (share.map { more * $0 } ?? more) }
    counted = share.map { weight == 1 ? $0 : $0 * weight }
    let updates = context.updates
    let forward = try recipe.train.precision.applied(
      to: [exactLoss] + updates.map(\.value), of: state.weights.map(\.placeholder) + [key, x, y])
    loss = weight == 1 ? forward[0] : forward[0] * weight
    trained = state.trainable.map { state.weights[$0].placeholder }
    gradients = try gradient(of: loss, at: trained)
    let updated = Dictionary(
      zip(updates.map { ObjectIdentifier($0.parameter) }, forward.dropFirst()), uniquingKeysWith: { $1 })
    statistics = state.parameters.indices.filter { !state.parameters[$0].parameter.isTrainable }
    newStatistics = statistics.map { index in
      updated[ObjectIdentifier(state.parameters[index].parameter)] ?? state.weights[index].placeholder
    }
  }

  /// What is added up over a step beside the gradients: the loss, and what it must be divided by, if anything.
  var totals: [Tensor] { counted.map { [loss, $0] } ?? [loss] }

  /// The statistics' placeholders.
  func oldStatistics(_ state: TrainingState) -> [Tensor] { statistics.map { state.weights[$0].placeholder } }
}

extension TrainingTask {
  /// 1 for each label that counts, 0 for the others; `nil` where all count.
  func countedPlaces(_ labels: Tensor) -> Tensor? {
    ignoredTarget.map { (labels .!= .full(labels.shape, Double($0), dtype: labels.dtype)).cast(.float32) }
  }
}

extension TrainingState {
  /// The buffers of tensors of the state, by their names.
  func buffers(of tensors: [Tensor]) -> [HostBuffer] {
    var byName: [String: HostBuffer] = [:]
    for entry in entries { byName[entry.placeholder.placeholderName!] = entry.buffer }
    return tensors.map { byName[$0.placeholderName!]! }
  }
}
