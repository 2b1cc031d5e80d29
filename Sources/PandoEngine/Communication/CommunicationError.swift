/// Why ranks could not exchange what they meant to.
public struct CommunicationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of trouble it is.
  public enum Reason: Hashable, Sendable {
    /// Ranks called different operations, or the same with different sizes; the text says who called what.
    case mismatch(String)
    /// The run was given up, by this rank or another; the text says why.
    case aborted(String)
    /// The system or the library below refused; the text is its own.
    case system(String)
  }

  /// What kind of trouble it is, and what is known of it.
  public let reason: Reason
  /// The operation: `all-reduce`.
  public let operation: String
  /// What was to be exchanged: `blocks.4.mlp.weight`.
  public let label: String
  /// The rank that says so, counted in the whole run.
  public let rank: Int
  /// The training step, where one has begun.
  public let step: Int?
  /// How long the operation had waited.
  public let seconds: Double

  /// An error with all it says.
  public init(
    _ reason: Reason, operation: String, label: String, rank: Int, step: Int? = nil, seconds: Double = 0
  ) {
    self.reason = reason
    self.operation = operation
    self.label = label
    self.rank = rank
    self.step = step
    self.seconds = seconds
  }

  public var description: String {
    let place = "rank \(rank)\(step.map { ", step \($0)" } ?? ""), \(operation) of \(label)"
    let waited = seconds >= 1 ? ", after \(Int(seconds)) s" : ""
    return switch reason {
    case .mismatch(let text): "\(place): the ranks do not agree: \(text)"
    case .aborted(let text): "\(place)\(waited): the run was given up: \(text)"
    case .system(let text): "\(place)\(waited): \(text)"
    }
  }
}
