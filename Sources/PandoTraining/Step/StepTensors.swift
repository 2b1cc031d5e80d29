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
  /// The mean over the batch and what layers add of their own, times the weight. Where some places are not counted, the
  /// sum over the others divided by the number of all.
  private(set) var loss: Tensor
  /// The share of the places that count, times the weight, where not all do: what the loss must be divided by once all
  /// of the step is added up.
  private(set) var counted: Tensor?
  /// What layers tell of themselves, times the weight.
  private(set) var figures: [(name: String, value: Tensor)]
  /// The placeholders of the trained parameters, and the loss's gradient at each.
  let trained: [Tensor]
  private(set) var gradients: [Tensor]
  /// Places in `TrainingState.weights` of what is not trained, and its new values.
  let statistics: [Int]
  private(set) var newStatistics: [Tensor]

  /// - Parameter weight: what this pass counts in the step, from 0 to 1; loss and gradients are multiplied by it.
  init(
    _ state: TrainingState, task: TrainingTask, recipe: Recipe, batch: Int, weight: Double = 1
  ) throws {
    let pass = try ForwardTensors(state.model, state.parameters, task: task, recipe: recipe, batch: batch)
    (x, y, key) = (pass.x, pass.y, pass.key)
    rate = Tensor.placeholder("learning-rate", .scalar(.float32))
    step = Tensor.placeholder("step", .scalar(.float32))
    counted = pass.counted.map { weight == 1 ? $0 : $0 * weight }
    loss = weight == 1 ? pass.loss : pass.loss * weight
    figures = weight == 1 ? pass.figures : pass.figures.map { ($0.name, $0.value * weight) }
    trained = state.trainable.map { state.weights[$0].placeholder }
    gradients = try gradient(of: loss, at: trained)
    statistics = state.parameters.indices.filter { !state.parameters[$0].parameter.isTrainable }
    newStatistics = statistics.map { pass.updates[$0] ?? state.weights[$0].placeholder }
  }

  /// What is added up over a step beside the gradients: the loss, what it must be divided by, if anything, and what
  /// layers tell of themselves.
  var totals: [Tensor] { (counted.map { [loss, $0] } ?? [loss]) + figures.map(\.value) }

  /// What this pass and those of the other ranks of `mesh` come to together.
  ///
  /// - Parameters:
  ///   - names: the names of the trained parameters.
  ///   - share: what this rank's running statistics count in the mean of all.
  func summed(over mesh: Mesh, names: [String], share: Double) -> StepTensors {
    var all = self
    // A backward pass makes the gradients of the last layers first.
    let told = [("loss", loss)] + (counted.map { [("places that count", $0)] } ?? [])
    let made = newStatistics.map { ("statistics", $0 * share) }
    let slopes = zip(names, gradients).map { ("gradient of \($0)", $1) }.reversed()
    var sums = RankSums(mesh: mesh)(told + figures.map { ($0.name, $0.value) } + made + slopes)[...]
    all.loss = sums.removeFirst()
    if counted != nil { all.counted = sums.removeFirst() }
    all.figures = figures.map { ($0.name, sums.removeFirst()) }
    all.newStatistics = made.map { _ in sums.removeFirst() }
    all.gradients = sums.reversed()
    return all
  }

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
