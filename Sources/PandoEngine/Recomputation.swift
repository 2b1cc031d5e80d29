/// What a training step computes a second time, so that less must be kept from its first half for its second.
///
/// The results are the same to the bit whatever is chosen here.
public struct Recomputation: Hashable, Sendable {
  /// What is kept.
  public enum Policy: Hashable, Sendable {
    /// Everything.
    case none
    /// What goes from one layer to the next.
    case blocks
    /// What goes from one group of layers to the next, with about as many groups as the square root of the layers.
    case sqrt
    /// As much as fits into an arena of so many bytes: the least work whose planned arena, with what is in memory of files
    /// at once, is no larger. A negative
    /// number is refused like any other that is too small.
    case fit(arenaBytes: Int)
  }

  /// What is kept.
  public var policy: Policy
  /// The place of the loss among the program's outputs.
  public var loss: Int

  /// A policy for a program whose output number `loss` is the loss.
  public init(_ policy: Policy, loss: Int) {
    self.policy = policy
    self.loss = loss
  }
}

/// No recomputation makes a program's arena as small as was asked for.
public struct ArenaLimitError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Bytes asked for.
  public let limit: Int
  /// The smallest arena that the program can do with.
  public let smallest: Int

  /// An error with its two figures.
  public init(limit: Int, smallest: Int) {
    self.limit = limit
    self.smallest = smallest
  }

  public var description: String {
    "intermediate values need \(smallest) bytes at least, the limit is \(limit)"
  }
}

/// A way of computing again, as the engine would run it.
public struct RecomputationPoint: Hashable, Sendable, Codable {
  /// Bytes of the arena, and of what is in memory of files at once.
  public let arenaBytes: Int
  /// About how long a run of the program takes, by the ceilings in its options.
  public let seconds: Double

  /// A point from its figures.
  public init(arenaBytes: Int, seconds: Double) { (self.arenaBytes, self.seconds) = (arenaBytes, seconds) }
}
