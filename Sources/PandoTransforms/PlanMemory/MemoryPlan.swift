import PandoIR

/// Where every value of a program lives, decided before it runs.
public struct MemoryPlan: Sendable {
  /// Where a value lives.
  public enum Storage: Hashable, Sendable {
    /// In the buffer of an input.
    case argument(Int)
    /// In the buffer of an output.
    case result(Int)
    /// In the arena, this many bytes from its start.
    case arena(offset: Int)
    /// In the program's own file, this many bytes from its start.
    case file(offset: Int)
  }

  /// A stretch of the arena and the steps between which it is taken, both included.
  public struct Interval: Hashable, Sendable {
    /// Bytes from the start of the arena.
    public var offset: Int
    /// Length in bytes, a multiple of the alignment.
    public let byteCount: Int
    /// The places in the schedule of the first and the last node that use it.
    public let first, last: Int
    /// The value, or `nil` for a node's workspace.
    public let value: Int?
  }

  /// Every stretch starts at a multiple of this many bytes: a cache line, and a vector register.
  public static let alignment = 64

  /// Where each value lives, by its id.
  public let storage: [Storage?]
  /// For each node, where its workspace starts in the arena; `nil` where it needs none.
  public let workspaces: [Int?]
  /// Outputs that must be copied at the end from where their value lives.
  public let copies: [Copy]
  /// Bytes of the arena.
  public let arenaBytes: Int
  /// Everything in the arena, for pictures and checks.
  public let intervals: [Interval]
  /// Bytes of the program's own file.
  public let fileBytes: Int
  /// What of files is in memory when; `nil` where nothing lies in any.
  public let stream: StreamPlan?

  /// A copy at the end of a run.
  public struct Copy: Hashable, Sendable {
    /// The value.
    public let value: Int
    /// The output's place.
    public let output: Int

    /// A copy of `value` to output number `output`.
    public init(value: Int, output: Int) {
      self.value = value
      self.output = output
    }
  }
}

extension MemoryPlan {
  /// Bytes of the arena and of what is in memory of files at once.
  public var residentBytes: Int { arenaBytes + (stream?.windowBytes ?? 0) }

  /// The bytes of the arena taken while each node runs.
  public func timeline(nodeCount: Int) -> [Int] {
    var taken = [Int](repeating: 0, count: nodeCount)
    for interval in intervals where nodeCount > 0 {
      for step in interval.first...min(interval.last, nodeCount - 1) { taken[step] += interval.byteCount }
    }
    return taken
  }

  package static func aligned(_ bytes: Int) -> Int { (bytes + alignment - 1) / alignment * alignment }
}
