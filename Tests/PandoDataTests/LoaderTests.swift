import Foundation
import PandoData
import PandoIR
import Synchronization
import Testing

/// Fails at one sample, and counts how often it is read.
private struct FailingSource: SampleSource {
  struct Failure: Error, Equatable {}
  let bad: Int
  let count = 20
  let fields = [Field("x", TensorType([], .int32))]

  func copySample(
    _ index: Int, epoch _: Int, into buffers: UnsafeBufferPointer<UnsafeMutableRawBufferPointer>
  ) throws {
    if index == bad { throw Failure() }
    buffers[0].storeBytes(of: Int32(index), as: Int32.self)
  }
}

/// Tells when it is given up.
private final class TrackedSource: SampleSource {
  let count = 8
  let fields = [Field("epoch", TensorType([], .int32))]
  let freed: @Sendable () -> Void

  init(freed: @escaping @Sendable () -> Void) { self.freed = freed }
  deinit { freed() }

  func copySample(_: Int, epoch: Int, into buffers: UnsafeBufferPointer<UnsafeMutableRawBufferPointer>) {
    buffers[0].storeBytes(of: Int32(epoch), as: Int32.self)
  }
}

@Suite struct LoaderTests {
  /// Copies of what batches hold.
  private struct Copy: Equatable {
    var position: Int
    var validCount: Int
    var fields: [String: [UInt8]]
  }

  private func batches(
    _ source: some SampleSource, _ transforms: [any SampleTransform] = [], _ options: LoaderOptions,
    count: Int = .max
  ) throws -> [Copy] {
    let loader = try BatchLoader(source, transforms: transforms, options: options)
    var copies: [Copy] = []
    while copies.count < count, let batch = try loader.next() {
      let fields = Dictionary(uniqueKeysWithValues: batch.fields.map { ($0.name, Array($0.bytes)) })
      copies.append(Copy(position: batch.position, validCount: batch.validCount, fields: fields))
      loader.recycle(batch)
    }
    return copies
  }

  private func numbers(_ copies: [Copy]) -> [Float] {
    copies.flatMap { copy in
      (copy.fields["features"] ?? []).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    }.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
  }

  private let augmentation: [any SampleTransform] = [
    RandomCrop("image", padding: 2), RandomHorizontalFlip("image"), Normalize("image", scale: 1 / 255),
  ]

  @Test func evaluationGivesEverySampleOnceInOrder() throws {
    let copies = try batches(numbered(7), [], .evaluation(batchSize: 3))
    #expect(copies.map(\.position) == [0, 3, 6])
    #expect(copies.map(\.validCount) == [3, 3, 1])
    #expect(numbers(copies) == [0, 1, 2, 3, 4, 5, 6, 6, 6])
    #expect(try batches(numbered(2), [], .evaluation(batchSize: 5)).map(\.validCount) == [2])
  }

  @Test func trainingFollowsTheOrderAcrossEpochs() throws {
    let copies = try batches(numbered(7), [], .training(batchSize: 3, seed: 9), count: 7)
    let order = SampleOrder(count: 7, seed: 9, shuffle: true)
    #expect(numbers(copies) == (0..<21).map { Float(order.sample(at: $0)) })
    #expect(copies.allSatisfy { $0.validCount == 3 })
  }

  @Test func batchesHaveTheirTypesAndAlignment() throws {
    let loader = try BatchLoader(
      pictures(9, height: 5, width: 3), transforms: augmentation, options: .training(batchSize: 4, seed: 1))
    #expect(
      loader.fields == [Field("image", TensorType([1, 5, 3])), Field("label", TensorType([], .int32))])
    let batch = try #require(try loader.next())
    #expect(batch.fields.map(\.type) == [TensorType([4, 1, 5, 3]), TensorType([4], .int32)])
    #expect(batch["label"]?.type == TensorType([4], .int32))
    #expect(batch["lable"] == nil)
    for field in batch.fields { #expect(Int(bitPattern: field.pointer) % 64 == 0) }
  }

  @Test func depthAndBatchSizeChangeNothing() throws {
    let source = try pictures(50, height: 6, width: 5)
    func run(depth: Int, batch: Int, count: Int, start: Int = 0) throws -> [Copy] {
      try batches(
        source, augmentation, .training(batchSize: batch, seed: 3, startPosition: start, depth: depth),
        count: count)
    }
    let wanted = try run(depth: 1, batch: 8, count: 20)
    for depth in [2, 3, 7] { #expect(try run(depth: depth, batch: 8, count: 20) == wanted) }
    // Resuming at a position, and other batch sizes, give the same samples.
    #expect(try run(depth: 3, batch: 8, count: 13, start: 56) == Array(wanted[7...]))
    let bytes = wanted.flatMap { $0.fields["image"] ?? [] }
    #expect(try run(depth: 3, batch: 5, count: 32).flatMap { $0.fields["image"] ?? [] } == bytes)
    // Another seed gives others.
    let other = try batches(source, augmentation, .training(batchSize: 8, seed: 4), count: 20)
    #expect(other != wanted)
  }

  @Test func workersShareTheSequence() throws {
    let source = try pictures(40, height: 4, width: 4)
    let whole = try batches(source, augmentation, .training(batchSize: 6, seed: 2), count: 10)
    var shares = [[UInt8]](repeating: [], count: 30)
    for rank in 0..<3 {
      let options = LoaderOptions.training(batchSize: 2, seed: 2, stride: 6, offset: 2 * rank)
      for (step, copy) in try batches(source, augmentation, options, count: 10).enumerated() {
        #expect(copy.position == step * 6 + 2 * rank)
        shares[step * 3 + rank] = copy.fields["image"] ?? []
      }
    }
    #expect(shares.flatMap { $0 } == whole.flatMap { $0.fields["image"] ?? [] })
    // In evaluation every worker makes as many steps, though some have nothing left.
    let valid = try (0..<3).map { rank in
      try batches(numbered(7), [], .evaluation(batchSize: 2, stride: 6, offset: 2 * rank)).map(\.validCount)
    }
    #expect(valid == [[2, 1], [2, 0], [2, 0]])
  }

  @Test func buffersAreReused() throws {
    let loader = try BatchLoader(numbered(30), options: .training(batchSize: 4, seed: 1, depth: 3))
    var places = Set<UnsafeMutableRawPointer>()
    for _ in 0..<50 {
      let batch = try #require(try loader.next())
      places.insert(batch.fields[0].pointer)
      loader.recycle(batch)
    }
    #expect(places.count <= 3)
  }

  @Test func aBatchInUseIsNotOverwritten() throws {
    let loader = try BatchLoader(numbered(30), options: .training(batchSize: 4, seed: 1, depth: 2))
    let kept = try #require(try loader.next())
    let before = Array(kept.fields[0].bytes)
    for _ in 0..<20 { loader.recycle(try #require(try loader.next())) }
    #expect(Array(kept.fields[0].bytes) == before)
    let second = try #require(try loader.next())
    expectError(.invalid, "all 2 batches", "recycle") { _ = try loader.next() }
    loader.recycle(second)
    #expect(try loader.next() != nil)
  }

  @Test func aBatchOutlivesItsLoader() throws {
    var batch: Batch?
    do {
      let loader = try BatchLoader(numbered(4), options: .evaluation(batchSize: 4))
      batch = try loader.next()
    }
    let bytes = try #require(batch).fields[0].bytes
    #expect(bytes.bindMemory(to: Float.self)[6] == 3)
    withExtendedLifetime(batch) {}
  }

  @Test func epochsReachTheSource() throws {
    let copies = try batches(TrackedSource {}, [], .training(batchSize: 4, seed: 1), count: 6)
    #expect(copies.map { $0.fields["epoch"]?.first } == [0, 0, 1, 1, 2, 2])
  }

  @Test func mistakesComeAfterTheBatchesBeforeThem() throws {
    let loader = try BatchLoader(FailingSource(bad: 9), options: .evaluation(batchSize: 4))
    for position in [0, 4] {
      let batch = try #require(try loader.next())
      #expect(batch.position == position)
      loader.recycle(batch)
    }
    for _ in 0..<2 { #expect(throws: FailingSource.Failure.self) { try loader.next() } }
  }

  @Test func theThreadEndsWithTheLoader() throws {
    let freed = Mutex(false)
    try freedBy { try BatchLoader(TrackedSource(freed: $0), options: .training(batchSize: 4, seed: 1)) }
    func freedBy(_ make: (@escaping @Sendable () -> Void) throws -> BatchLoader) throws {
      let signal = DispatchSemaphore(value: 0)
      var loader: BatchLoader? = try make { signal.signal() }
      loader?.recycle(try #require(try loader?.next()))
      loader = nil
      #expect(signal.wait(timeout: .now() + 10) == .success)
      freed.withLock { $0 = true }
    }
    #expect(freed.withLock { $0 })
  }

  @Test func impossibleBatchesAreRefused() throws {
    let empty = try ArraySource([("x", HostArray([Float](), shape: [0, 2]))])
    for options in [LoaderOptions.training(batchSize: 1, seed: 1), .evaluation(batchSize: 1)] {
      expectError(.invalid, "no samples") { _ = try BatchLoader(empty, options: options) }
    }
    expectError(.invalid, "batch of 8 is larger than the data, 7 samples") {
      _ = try BatchLoader(numbered(7), options: .training(batchSize: 8, seed: 1))
    }
    expectError(.invalid, "batch of 8 is larger") {
      _ = try BatchLoader(numbered(7), options: .training(batchSize: 4, seed: 1, stride: 8))
    }
    expectError(.invalid, "must be positive") {
      _ = try BatchLoader(numbered(7), options: .training(batchSize: 0, seed: 1))
    }
    expectError(.notFound, "no field 'image'") {
      _ = try BatchLoader(numbered(7), transforms: augmentation, options: .training(batchSize: 2, seed: 1))
    }
  }
}
