/// Where in the user's source something was called.
public struct SourceSite: Hashable, Sendable, CustomStringConvertible {
  /// The file, as `#fileID` gives it (`Module/File.swift`).
  public let file: String
  /// The line, counted from 1.
  public let line: Int

  /// A place in the user's source.
  public init(file: StaticString, line: UInt) {
    self.file = "\(file)"
    self.line = Int(line)
  }

  /// `Module/File.swift:12`
  public var description: String { "\(file):\(line)" }
}

/// An operation was given operands that it cannot take.
///
/// The message says what was expected and what was given; `place` names the layer or parameter where it is known,
/// `site` the user's call.
public struct TypeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The operation's name.
  public var operation: String
  /// What was expected, what was given, and what to do.
  public var message: String
  /// The layer or parameter concerned, filled in by whoever knows it.
  public var place: String?
  /// The user's call, filled in by whoever knows it.
  public var site: SourceSite?

  /// An error of `operation`; the message says what was expected, what was given and what to do.
  public init(_ operation: any Operation, _ message: String) {
    self.init(operation: type(of: operation).name, message)
  }

  /// An error of the operation called `operation`.
  public init(operation: String, _ message: String) {
    self.operation = operation
    self.message = message
  }

  /// `linear: expected …, got … (in hidden.weight, at App/main.swift:12)`
  public var description: String {
    let context = [place.map { "in \($0)" }, site.map { "at \($0)" }].compactMap { $0 }
    return "\(operation): \(message)" + (context.isEmpty ? "" : " (\(context.joined(separator: ", ")))")
  }
}
