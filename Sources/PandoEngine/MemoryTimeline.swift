/// What lies in a program's arena while each of its operations runs.
public struct MemoryTimeline: Hashable, Sendable {
  /// Bytes that something takes for a while.
  public struct Stretch: Hashable, Sendable {
    /// The operation that makes the value, or whose workspace it is.
    public let name: String
    /// The value's type, or `workspace`.
    public let type: String
    /// Bytes, with what alignment adds.
    public let bytes: Int
    /// The places of the first and the last operation during which they are taken, both included.
    public let first, last: Int

    /// A stretch from its figures.
    public init(name: String, type: String, bytes: Int, first: Int, last: Int) {
      (self.name, self.type, self.bytes, self.first, self.last) = (name, type, bytes, first, last)
    }
  }

  /// How many operations there are.
  public let operations: Int
  /// Everything in the arena.
  public let stretches: [Stretch]

  /// A timeline from its parts.
  public init(operations: Int = 0, stretches: [Stretch] = []) {
    (self.operations, self.stretches) = (operations, stretches)
  }

  /// The bytes taken while each operation runs.
  public var bytes: [Int] {
    var taken = [Int](repeating: 0, count: operations)
    for stretch in stretches where operations > 0 {
      for place in stretch.first...min(stretch.last, operations - 1) { taken[place] += stretch.bytes }
    }
    return taken
  }

  /// The operation during which the most is taken.
  public var peak: Int? { bytes.indices.max { bytes[$0] < bytes[$1] } }

  /// What lies there while an operation runs, largest first.
  public func alive(at operation: Int) -> [Stretch] {
    stretches.filter { $0.first <= operation && operation <= $0.last }
      .sorted { ($1.bytes, $0.first) < ($0.bytes, $1.first) }
  }
}
