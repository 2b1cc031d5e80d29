/// Which sample a run sees at each position, position 0 being its very first sample.
///
/// Position `p` lies in epoch `p / count`. Where a run stands in its data is thus one integer, whatever the size
/// of its batches and the number of its workers.
public struct SampleOrder: Sendable {
  /// How many samples an epoch has.
  public let count: Int
  /// Chooses the order of every epoch.
  public let seed: UInt64
  /// Whether each epoch has an order of its own, or all go from the first sample to the last.
  public let shuffle: Bool

  /// An order of `count` samples, at least 1.
  public init(count: Int, seed: UInt64, shuffle: Bool) {
    precondition(count >= 1, "no samples to order")
    self.count = count
    self.seed = seed
    self.shuffle = shuffle
  }

  /// The epoch in which a position lies.
  public func epoch(at position: Int) -> Int { position / count }

  /// The sample's index at a position.
  public func sample(at position: Int) -> Int {
    let (epoch, place) = position.quotientAndRemainder(dividingBy: count)
    return shuffle ? KeyedPermutation(count: count, seed: seed, epoch: epoch)[place] : place
  }
}
