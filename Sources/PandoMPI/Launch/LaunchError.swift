/// Why ranks cannot be started.
public struct LaunchError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, and what to do.
  public let description: String
  /// An error with its text.
  public init(_ description: String) { self.description = description }
}
