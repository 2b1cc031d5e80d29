import Foundation
import PandoIR

/// Prepares batches ahead on a thread of its own, in a ring of buffers that are allocated once.
///
/// The batches depend on the source, transforms and options alone, never on the ring's depth or on timing.
public final class BatchLoader: Sendable {
  /// What a batch's fields are, without the batch dimension.
  public let fields: [Field]
  /// What was asked for.
  public let options: LoaderOptions
  private let core: LoaderCore

  /// Starts the thread.
  ///
  /// - Throws: `DataError` where the source is empty, a training batch is larger than the data, or a transform
  ///   does not fit the source's fields.
  public init(
    _ source: any SampleSource, transforms: [any SampleTransform] = [], options: LoaderOptions
  ) throws {
    try options.check(count: source.count)
    let pipeline = try TransformPipeline(transforms, fields: source.fields)
    let order = SampleOrder(count: source.count, seed: options.seed, shuffle: options.shuffle)
    fields = pipeline.outputFields
    self.options = options
    let core = LoaderCore(fields: pipeline.outputFields, options: options, count: source.count)
    self.core = core
    let thread = Thread {
      let filler = BatchFiller(source: source, order: order, pipeline: pipeline, batchSize: options.batchSize)
      core.run(filler)
    }
    thread.name = "pando-data"
    thread.start()
  }

  deinit { core.stop() }

  /// The next batch, waiting for it if it is not ready; `nil` after the last one of a single pass.
  ///
  /// - Throws: what reading or transforming a sample threw, once the batches before it have been given out; and
  ///   `DataError` where every buffer of the ring is in use, since nothing could ever become ready.
  public func next() throws -> Batch? {
    guard let slot = try core.take() else { return nil }
    return Batch(position: slot.position, validCount: slot.validCount, slot: slot)
  }

  /// Gives a batch's memory back to be filled again; its pointers must not be used afterwards.
  public func recycle(_ batch: Batch) { core.giveBack(batch.slot) }
}

/// What the loader and its thread share. Everything that changes is guarded by `condition`.
private final class LoaderCore: @unchecked Sendable {
  private let condition = NSCondition()
  private let slots: [BatchSlot]
  private let options: LoaderOptions
  private let count: Int
  /// Slots that may be filled. Never grows beyond the ring, so it is not reallocated.
  private var free: [BatchSlot]
  /// Slots that are filled, a circular queue.
  private var ready: [BatchSlot?]
  private var firstReady = 0
  private var readyCount = 0
  private var lentCount = 0
  private var failure: (any Error)?
  private var isStopping = false
  private var hasEnded = false

  init(fields: [Field], options: LoaderOptions, count: Int) {
    self.options = options
    self.count = count
    slots = (0..<options.depth).map { _ in BatchSlot(fields: fields, batchSize: options.batchSize) }
    free = slots
    ready = [BatchSlot?](repeating: nil, count: options.depth)
  }

  /// The thread's work: fills batches until it is stopped, the pass ends or a sample cannot be read.
  func run(_ filler: BatchFiller) {
    let stride = options.stride ?? options.batchSize * options.run
    let end = options.isEndless ? Int.max : count
    var (start, place) = (options.startPosition, 0)
    while options.isEndless || start < end, let slot = takeFree() {
      let position = start + options.offset + place * options.batchSize
      let began = ContinuousClock.now
      do { try filler.fill(slot, position: position, end: end) } catch {
        finish(failure: error)
        return
      }
      slot.preparation = began...ContinuousClock.now
      addReady(slot)
      place += 1
      if place == options.run { (start, place) = (start + stride, 0) }
    }
    finish(failure: nil)
  }

  private func takeFree() -> BatchSlot? {
    condition.lock()
    defer { condition.unlock() }
    while free.isEmpty, !isStopping { condition.wait() }
    return isStopping ? nil : free.removeLast()
  }

  private func addReady(_ slot: BatchSlot) {
    condition.lock()
    ready[(firstReady + readyCount) % ready.count] = slot
    readyCount += 1
    condition.broadcast()
    condition.unlock()
  }

  private func finish(failure: (any Error)?) {
    condition.lock()
    self.failure = failure
    hasEnded = true
    condition.broadcast()
    condition.unlock()
  }

  func take() throws -> BatchSlot? {
    condition.lock()
    defer { condition.unlock() }
    while readyCount == 0, !hasEnded {
      guard lentCount < slots.count else {
        throw DataError(
          .invalid, at: "batch loader", "all \(slots.count) batches of the ring are in use",
          mend: "recycle a batch before asking for the next, or make the ring deeper")
      }
      condition.wait()
    }
    if readyCount == 0 {
      if let failure { throw failure }
      return nil
    }
    let slot = ready[firstReady]
    firstReady = (firstReady + 1) % ready.count
    readyCount -= 1
    lentCount += 1
    slot?.isLent = true
    return slot
  }

  func giveBack(_ slot: BatchSlot) {
    condition.lock()
    defer { condition.unlock() }
    precondition(slot.isLent, "a batch was recycled twice")
    slot.isLent = false
    lentCount -= 1
    free.append(slot)
    condition.broadcast()
  }

  /// Ends the thread and waits until it is done with the source.
  func stop() {
    condition.lock()
    isStopping = true
    condition.broadcast()
    while !hasEnded { condition.wait() }
    condition.unlock()
  }
}
