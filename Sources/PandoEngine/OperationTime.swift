/// When one operation of a run was at work.
public struct OperationTime: Hashable, Sendable {
  /// The place of the operation among the nodes of `Executable.compiledGraph`.
  public let node: Int
  /// When its work began.
  public let start: ContinuousClock.Instant
  /// When its work was done.
  public let end: ContinuousClock.Instant

  /// A time from its parts.
  public init(node: Int, start: ContinuousClock.Instant, end: ContinuousClock.Instant) {
    self.node = node
    self.start = start
    self.end = end
  }
}
