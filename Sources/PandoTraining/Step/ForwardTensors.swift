import Pando
import PandoNN

/// A forward pass over a batch in training as tensors.
struct ForwardTensors {
  let x: Tensor
  let y: Tensor
  /// The key of the pass's random numbers.
  let key: Tensor
  /// The mean over the batch. Where some places are not counted, the sum over the others divided by the number of all.
  let loss: Tensor
  /// The share of the places that count, where not all do.
  let counted: Tensor?
  /// What layers tell of themselves, by name in alphabetical order: scalars, means over the batch.
  let figures: [(name: String, value: Tensor)]
  /// New values of running statistics, by their places among the parameters.
  let updates: [Int: Tensor]

  init(
    _ model: any Layer, _ parameters: [NamedParameter], task: TrainingTask, recipe: Recipe, batch: Int
  ) throws {
    x = Tensor.placeholder("input", task.inputType.with(shape: [batch] + task.inputType.shape))
    y = Tensor.placeholder("target", task.targetType.with(shape: [batch] + task.targetType.shape))
    key = Tensor.placeholder("key", TensorType([2], .int64))
    let context = Context.training(key: key)
    let logits = model(x, context)
    // The places of a text stay a dimension of their own, since they may be spread over ranks as samples are.
    let isAligned = Array(logits.shape.dropLast()) == y.shape
    let (scores, labels) = isAligned ? (logits, y) : (logits.reshape(-1, task.classes), y.reshape(-1))
    var exact = crossEntropyRows(
      scores, labels, labelSmoothing: recipe.train.labelSmoothing, ignoring: task.ignoredTarget
    ).mean()
    let share = task.countedPlaces(labels).map { $0.mean() }
    if let more = context.auxiliaryLoss { exact = exact + (share.map { more * $0 } ?? more) }
    counted = share
    let (new, told) = (context.updates, context.figures)
    let forward = try recipe.train.precision.applied(
      to: [exact] + new.map(\.value) + told.map(\.value),
      of: parameters.map(\.parameter.tensor) + [key, x, y])
    loss = forward[0]
    figures = zip(told, forward.suffix(told.count)).map { ($0.name, $1.cast(.float32)) }
    var places: [ObjectIdentifier: Int] = [:]
    for (place, named) in parameters.enumerated() { places[ObjectIdentifier(named.parameter)] = place }
    var updates: [Int: Tensor] = [:]
    for (update, value) in zip(new, forward.dropFirst()) {
      if let place = places[ObjectIdentifier(update.parameter)] { updates[place] = value }
    }
    self.updates = updates
  }
}
