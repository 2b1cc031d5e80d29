import Pando
import PandoData

/// The batches of one stream, one at a time.
final class BatchFeed {
  private let source: Source
  private var held: Batch?
  /// The batch given out last.
  private(set) var last: (input: HostBuffer, target: HostBuffer)?

  /// When the step waited for a batch, and when the loader prepared it.
  struct Times {
    let position: Int
    let waited: ClosedRange<ContinuousClock.Instant>
    let prepared: ClosedRange<ContinuousClock.Instant>?
  }

  /// Filled with the times of each batch while it is not `nil`.
  var times: [Times]?

  private enum Source {
    case loader(BatchLoader, TrainingTask)
    case fixed(HostBuffer, HostBuffer)
  }

  /// The samples of `slice` in each step from `step` on; a step has `samples` of them on all ranks together.
  init(_ task: TrainingTask, _ recipe: Recipe, _ slice: StepSlice, step: Int, samples: Int) throws {
    let loader = try BatchLoader(
      task.training, transforms: task.trainingTransforms,
      options: .training(
        batchSize: slice.batch, seed: UInt64(recipe.seed), startPosition: step * samples,
        shuffle: recipe.data.shuffle, stride: samples, run: slice.count, offset: slice.offset,
        depth: max(2, recipe.data.prefetch)))
    source = .loader(loader, task)
  }

  /// The same batch over and over.
  init(repeating input: HostBuffer, _ target: HostBuffer) { source = .fixed(input, target) }

  /// The next batch, valid until the next call.
  func next() throws -> (HostBuffer, HostBuffer) {
    switch source {
    case .fixed(let input, let target): return (input, target)
    case .loader(let loader, let task):
      if let held { loader.recycle(held) }
      let start = times.map { _ in ContinuousClock.now }
      guard let batch = try loader.next() else { throw TrainingError("the data ended within an epoch") }
      if let start {
        times?.append(
          Times(position: batch.position, waited: start...ContinuousClock.now, prepared: batch.preparation))
      }
      held = batch
      let buffers = try task.buffers(of: batch)
      last = buffers
      return buffers
    }
  }
}

extension HostBuffer {
  /// New memory with the same elements.
  func copy() -> HostBuffer {
    let copy = HostBuffer(type)
    copy.write(from: pointer)
    return copy
  }
}
