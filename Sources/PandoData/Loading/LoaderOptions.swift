/// Which samples a loader gives, in what batches.
public struct LoaderOptions: Sendable, Hashable {
  /// Samples in a batch.
  public var batchSize: Int
  /// Chooses the order of samples and everything random in transforms.
  public var seed: UInt64
  /// Whether every epoch has an order of its own.
  public var shuffle: Bool
  /// Whether epochs follow one another without end, batches running on from one into the next. Otherwise there is
  /// one pass, whose last batch may be partly filled.
  public var isEndless: Bool
  /// The global position of the first batch of all workers together.
  public var startPosition: Int
  /// Positions from one run of batches to the next: with W workers, W times the run's samples. `nil`: the run's samples.
  public var stride: Int?
  /// Batches in a run: they follow one another without a gap.
  public var run: Int
  /// This worker's first sample, counted from that of all workers together.
  public var offset: Int
  /// How many batches are in memory at once, being filled, ready or in use.
  public var depth: Int

  /// Shuffled batches without end, from `startPosition` on.
  public static func training(
    batchSize: Int, seed: UInt64, startPosition: Int = 0, shuffle: Bool = true, stride: Int? = nil,
    run: Int = 1, offset: Int = 0, depth: Int = 3
  ) -> LoaderOptions {
    LoaderOptions(
      batchSize: batchSize, seed: seed, shuffle: shuffle, isEndless: true, startPosition: startPosition,
      stride: stride, run: run, offset: offset, depth: depth)
  }

  /// Every sample once, first to last.
  public static func evaluation(
    batchSize: Int, stride: Int? = nil, offset: Int = 0, depth: Int = 2
  ) -> LoaderOptions {
    LoaderOptions(
      batchSize: batchSize, seed: 0, shuffle: false, isEndless: false, startPosition: 0, stride: stride,
      run: 1, offset: offset, depth: depth)
  }

  /// Checks the options against a source of `count` samples.
  func check(count: Int) throws {
    guard count > 0 else {
      throw DataError(
        .invalid, at: "data", "there are no samples", mend: "choose another file, split or context")
    }
    guard batchSize > 0, depth > 0, startPosition >= 0, offset >= 0, run > 0, stride ?? batchSize > 0 else {
      throw DataError(.invalid, at: "data.batch", "\(self) is not possible", mend: "sizes must be positive")
    }
    let together = max(stride ?? 0, batchSize * run)
    guard !isEndless || together <= count else {
      throw DataError(
        .invalid, at: "data.batch", "a batch of \(together) is larger than the data, \(count) samples",
        mend: "use a batch of at most \(count)")
    }
  }
}
