import Pando

/// The processes that train one network together, as one of them sees them.
public struct Ranks: Sendable {
  /// What they speak through; `nil` where there is only one.
  public let communicator: (any Communicator)?

  /// A process of its own.
  public static let single = Ranks(nil)

  /// All ranks of `communicator`.
  public init(_ communicator: (any Communicator)?) {
    self.communicator = communicator.flatMap { $0.size > 1 ? $0 : nil }
  }

  /// This process's number, from 0.
  public var rank: Int { communicator?.rank ?? 0 }
  /// How many there are.
  public var count: Int { communicator?.size ?? 1 }
  /// Whether this process speaks for the run: it shows progress and writes the run's folder.
  public var isFirst: Bool { rank == 0 }
}
