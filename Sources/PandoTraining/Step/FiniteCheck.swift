import Pando
import PandoNN

/// Finds where a pass over a batch first gives numbers that are not finite.
struct FiniteCheck {
  private let state: TrainingState
  private let pass: StepTensors
  private let device: Device

  init(_ state: TrainingState, task: TrainingTask, recipe: Recipe, batch: Int, device: Device) throws {
    self.state = state
    self.device = device
    pass = try StepTensors(state, task: task, recipe: recipe, batch: batch)
  }

  /// The first operation whose result is not finite, with the user's call where it is known.
  func culprit(seed: UInt64, part: Int, input: HostBuffer, target: HostBuffer) throws -> String? {
    struct Found: Error { let text: String }
    let key = HostBuffer(pass.key.type)
    StepInputs.set(key, seed: seed, part: part)
    let outputs = [pass.loss] + pass.gradients
    let program = try Program(
      outputs, inputs: state.weights.map(\.placeholder) + [pass.key, pass.x, pass.y], on: device, fuse: false)
    program.bind(
      state.weights.map(\.buffer) + [key, input, target], into: outputs.map { HostBuffer($0.type) })
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

extension TrainingRun {
  /// Where the numbers of a step that failed first went wrong, looked for in the batches that were used last.
  func culprit(_ feeds: [BatchFeed]) throws -> String? {
    // No rank of a spread run has what it takes to do the step by itself.
    guard state.parallelism == nil else { return nil }
    for (feed, slice) in zip(feeds, program.slices) {
      guard let (input, target) = feed.last else { continue }
      let check = try FiniteCheck(state, task: task, recipe: recipe, batch: slice.batch, device: device)
      let part = slice.part(slice.count - 1, of: step)
      let found = try check.culprit(seed: UInt64(recipe.seed), part: part, input: input, target: target)
      if let found { return found }
    }
    return nil
  }
}
