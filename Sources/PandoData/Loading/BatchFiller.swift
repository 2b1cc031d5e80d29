import PandoIR

/// Writes batches: reads samples in order and sends each field through its transforms. For one thread.
final class BatchFiller {
  private let source: any SampleSource
  private let order: SampleOrder
  private let pipeline: TransformPipeline
  private let batchSize: Int
  private var epoch = -1
  private var permutation: KeyedPermutation?
  /// Two buffers between which a field goes back and forth while it has transforms left.
  private let scratch: [UnsafeMutableRawPointer]
  /// One buffer for each of the source's fields.
  private let targets: UnsafeMutableBufferPointer<UnsafeMutableRawBufferPointer>
  /// Where the source writes fields that have transforms.
  private let staging: [UnsafeMutableRawPointer?]

  init(source: any SampleSource, order: SampleOrder, pipeline: TransformPipeline, batchSize: Int) {
    self.source = source
    self.order = order
    self.pipeline = pipeline
    self.batchSize = batchSize
    scratch = (0..<2).map { _ in
      .allocate(byteCount: max(pipeline.scratchByteCount, 1), alignment: 64)
    }
    staging = zip(pipeline.inputFields, pipeline.stages).map { field, stages in
      stages.isEmpty ? nil : .allocate(byteCount: max(field.type.byteCount, 1), alignment: 64)
    }
    targets = .allocate(capacity: pipeline.inputFields.count)
    targets.initialize(repeating: UnsafeMutableRawBufferPointer(start: nil, count: 0))
  }

  deinit {
    for pointer in scratch { pointer.deallocate() }
    for pointer in staging { pointer?.deallocate() }
    targets.deallocate()
  }

  /// Writes the samples at `position`, `position + 1`, …; those at `end` and beyond repeat the last one before it.
  func fill(_ slot: BatchSlot, position: Int, end: Int) throws {
    slot.position = position
    slot.validCount = max(0, min(batchSize, end - position))
    for row in 0..<batchSize { try copy(sampleAt: min(position + row, end - 1), to: row, of: slot) }
  }

  private func copy(sampleAt position: Int, to row: Int, of slot: BatchSlot) throws {
    for field in 0..<targets.count {
      let size = pipeline.inputFields[field].type.byteCount
      targets[field] = UnsafeMutableRawBufferPointer(
        start: staging[field] ?? slot.fields[field].pointer + row * size, count: size)
    }
    let index = sample(at: position)
    try source.copySample(index, epoch: epoch, into: UnsafeBufferPointer(targets))
    for field in 0..<targets.count {
      guard let staged = staging[field] else { continue }
      let stages = pipeline.stages[field]
      let target = slot.fields[field].pointer + row * pipeline.outputFields[field].type.byteCount
      var input = UnsafeRawPointer(staged)
      for (number, stage) in stages.enumerated() {
        let output = number == stages.count - 1 ? target : scratch[number % 2]
        var random = SampleRandom(seed: order.seed, position: position, stage: stage.number)
        stage.transform.apply(input, type: stage.input, into: output, random: &random)
        input = UnsafeRawPointer(output)
      }
    }
  }

  /// The sample's index, keeping the epoch's permutation from one call to the next.
  private func sample(at position: Int) -> Int {
    let (epoch, place) = position.quotientAndRemainder(dividingBy: order.count)
    if epoch != self.epoch {
      self.epoch = epoch
      permutation = order.shuffle ? KeyedPermutation(count: order.count, seed: order.seed, epoch: epoch) : nil
    }
    return permutation?[place] ?? place
  }
}
