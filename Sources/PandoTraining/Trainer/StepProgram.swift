import Pando
import PandoNN
import PandoOptimizers

/// The programs of a training step.
///
/// Without accumulation one program does everything. With it, a first program adds the gradients of one batch to sums
/// kept between runs, and a second turns the sums into an update.
///
/// A step whose loss or gradient is not finite changes nothing: the run can stop with good weights.
final class StepProgram {
  /// What a step reports.
  struct Report {
    let loss: Double
    let gradientNorm: Double
    var isFinite: Bool { loss.isFinite && gradientNorm.isFinite }
  }

  private let state: TrainingState
  private let accumulate: Int
  private let gradientProgram: Program?
  private let updateProgram: Program
  /// Tensors that change from step to step.
  private let key = HostBuffer(TensorType([2], .int64))
  private let learningRate = HostBuffer(.scalar(.float32))
  private let step = HostBuffer(.scalar(.float32))
  private let loss = HostBuffer(.scalar(.float32))
  private let norm = HostBuffer(.scalar(.float32))
  private let input: (type: TensorType, place: Int)
  private let target: (type: TensorType, place: Int)
  private let sums: [HostBuffer]
  private let lossSum = HostBuffer(.scalar(.float32))
  /// Placeholders and what the forward pass makes of them, for finding where numbers go wrong.
  private let inspection: (inputs: [Tensor], outputs: [Tensor])

  init(
    _ state: TrainingState, task: TrainingTask, recipe: Recipe, optimizer: any Optimizer, device: Device
  ) throws {
    self.state = state
    accumulate = recipe.train.accumulate
    let batch = recipe.data.batch
    let x = Tensor.placeholder("input", task.inputType.with(shape: [batch] + task.inputType.shape))
    let y = Tensor.placeholder("target", task.targetType.with(shape: [batch] + task.targetType.shape))
    let keyTensor = Tensor.placeholder("key", key.type)
    let rate = Tensor.placeholder("learning-rate", .scalar(.float32))
    let number = Tensor.placeholder("step", .scalar(.float32))

    let context = Context.training(key: keyTensor)
    let logits = state.model(x, context)
    let lossTensor = crossEntropy(
      logits.reshape(-1, task.classes), y.reshape(-1), labelSmoothing: recipe.train.labelSmoothing)
    let trained = state.trainable.map { state.weights[$0].placeholder }
    let gradients = try gradient(of: lossTensor, at: trained)
    let updated = Dictionary(
      context.updates.map { (ObjectIdentifier($0.parameter), $0.value) }, uniquingKeysWith: { $1 })
    let statistics = state.parameters.indices.filter { !state.parameters[$0].parameter.isTrainable }
    let newStatistics = statistics.map { index in
      updated[ObjectIdentifier(state.parameters[index].parameter)] ?? state.weights[index].placeholder
    }
    let rule = UpdateRule(state: state, recipe: recipe, optimizer: optimizer, rate: rate, step: number)
    inspection = (state.weights.map(\.placeholder) + [keyTensor, x, y], [lossTensor] + gradients)

    if accumulate == 1 {
      let result = rule.apply(gradients: gradients, loss: lossTensor)
      let old =
        trained + state.slots.flatMap { $0.map(\.placeholder) }
        + statistics.map { state.weights[$0].placeholder }
      let new =
        result.parameters + result.slots
        + zip(newStatistics, statistics).map { select(result.isFinite, $0, state.weights[$1].placeholder) }
      let inputs = old + [keyTensor, rate, number, x, y]
      updateProgram = try Program(
        new + [lossTensor, result.norm], inputs: inputs,
        donations: Dictionary(uniqueKeysWithValues: old.indices.map { ($0, $0) }), on: device)
      gradientProgram = nil
      sums = []
      input = (x.type, old.count + 3)
      target = (y.type, old.count + 4)
      let buffers = Self.buffers(old, state)
      updateProgram.bind(
        buffers + [key, learningRate, step, HostBuffer(x.type), HostBuffer(y.type)],
        into: buffers + [loss, norm])
      return
    }

    let sumTensors = trained.map { Tensor.placeholder("gradient-sum", $0.type) }
    let lossBefore = Tensor.placeholder("loss-sum", .scalar(.float32))
    let share = 1 / Double(accumulate)
    sums = sumTensors.map { HostBuffer($0.type) }
    let statisticTensors = statistics.map { state.weights[$0].placeholder }
    let carried = sumTensors + [lossBefore] + statisticTensors
    let added =
      zip(sumTensors, gradients).map { $0 + $1 * share } + [lossBefore + lossTensor * share] + newStatistics
    let gradientInputs = carried + trained + [keyTensor, x, y]
    let first = try Program(
      added, inputs: gradientInputs,
      donations: Dictionary(uniqueKeysWithValues: carried.indices.map { ($0, $0) }), on: device)
    let statisticBuffers = statistics.map { state.weights[$0].buffer }
    let trainedBuffers = state.trainable.map { state.weights[$0].buffer }
    first.bind(
      sums + [lossSum] + statisticBuffers + trainedBuffers + [key, HostBuffer(x.type), HostBuffer(y.type)],
      into: sums + [lossSum] + statisticBuffers)
    gradientProgram = first
    input = (x.type, gradientInputs.count - 2)
    target = (y.type, gradientInputs.count - 1)

    let result = rule.apply(gradients: sumTensors, loss: lossBefore)
    let old = trained + state.slots.flatMap { $0.map(\.placeholder) }
    let buffers = Self.buffers(old, state)
    // The sums go back to zero in the same sweep.
    let cleared = (sumTensors + [lossBefore]).map { Tensor.zeros($0.shape) }
    let outputs = result.parameters + result.slots + cleared + [lossBefore * 1, result.norm]
    let inputs = old + sumTensors + [lossBefore, rate, number]
    updateProgram = try Program(
      outputs, inputs: inputs,
      donations: Dictionary(uniqueKeysWithValues: (0..<old.count + sums.count + 1).map { ($0, $0) }),
      on: device)
    updateProgram.bind(
      buffers + sums + [lossSum, learningRate, step], into: buffers + sums + [lossSum, loss, norm])
  }

  private static func buffers(_ tensors: [Tensor], _ state: TrainingState) -> [HostBuffer] {
    var byName: [String: HostBuffer] = [:]
    for entry in state.entries { byName[entry.placeholder.placeholderName!] = entry.buffer }
    return tensors.map { byName[$0.placeholderName!]! }
  }

  /// The memory of all programs; they run one after another.
  var memory: [MemoryReport] { [gradientProgram?.memory, updateProgram.memory].compactMap { $0 } }

  /// Floating-point operations of one step.
  var flops: Int {
    (gradientProgram.map { $0.graph.cost.flops * accumulate } ?? 0) + updateProgram.graph.cost.flops
  }

  /// Does one step.
  ///
  /// - Parameters:
  ///   - index: the step, from 0.
  ///   - rate: its learning rate.
  ///   - batch: gives the buffers of input and target for each part of the step.
  func run(_ index: Int, seed: UInt64, rate: Double, batch: (Int) throws -> (HostBuffer, HostBuffer)) throws
    -> Report
  {
    learningRate.pointer.storeBytes(of: Float(rate), as: Float.self)
    step.pointer.storeBytes(of: Float(index + 1), as: Float.self)
    let program = gradientProgram ?? updateProgram
    for part in 0..<accumulate {
      setKey(index, part, seed)
      let (x, y) = try batch(part)
      program.rebind(input.place, x)
      program.rebind(target.place, y)
      try program.run()
    }
    if gradientProgram != nil { try updateProgram.run() }
    return Report(
      loss: Double(loss.pointer.load(as: Float.self)), gradientNorm: Double(norm.pointer.load(as: Float.self))
    )
  }

  private func setKey(_ index: Int, _ part: Int, _ seed: UInt64) {
    key.pointer.storeBytes(of: Int64(bitPattern: seed), as: Int64.self)
    key.pointer.storeBytes(of: Int64(index * accumulate + part), toByteOffset: 8, as: Int64.self)
  }

  /// The first operation of a step whose result is not finite, with the user's call where it is known.
  func firstNonFinite(_ index: Int, seed: UInt64, input: HostBuffer, target: HostBuffer, device: Device)
    throws -> String?
  {
    struct Found: Error { let text: String }
    setKey(index, 0, seed)
    let program = try Program(inspection.outputs, inputs: inspection.inputs, on: device, fuse: false)
    program.bind(
      state.weights.map(\.buffer) + [key, input, target], into: inspection.outputs.map { HostBuffer($0.type) }
    )
    for entry in state.weights where !entry.buffer.isAllFinite { return "the parameter \(entry.name)" }
    if input.type.dtype.isFloatingPoint, !input.isAllFinite { return "the input batch" }
    do {
      try program.trace { node, results in
        for result in results where !result.isAllFinite {
          let name =
            (node.operation as? CustomStringConvertible)?.description ?? type(of: node.operation).name
          throw Found(text: "\(name) of \(result.type)" + (node.site.map { " (\($0))" } ?? ""))
        }
      }
    } catch let found as Found { return found.text }
    return nil
  }
}

extension HostBuffer {
  /// Whether no element is infinite or NaN; true for integers.
  var isAllFinite: Bool {
    guard type.dtype.isFloatingPoint else { return true }
    if type.dtype == .float32 {
      let floats = UnsafeBufferPointer(start: pointer.assumingMemoryBound(to: Float.self), count: type.count)
      return floats.allSatisfy(\.isFinite)
    }
    return doubles.allSatisfy(\.isFinite)
  }
}
