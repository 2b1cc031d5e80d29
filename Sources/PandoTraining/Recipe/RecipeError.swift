/// Something is wrong with a recipe: the message says what was expected, what was given and what to do.
public struct RecipeError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The key concerned, from the top: `train.optimizer.kind`; empty where the whole file is meant.
  public var keyPath: String
  /// The line of the YAML file, counted from 1; absent for an override and where no line is to blame.
  public var line: Int?
  /// The file, or the override (`--set train.steps=x`), that the value came from.
  public var source: String?
  /// What was expected, what was given, and the mend.
  public var message: String

  /// An error at `keyPath`.
  public init(keyPath: String, line: Int? = nil, source: String? = nil, message: String) {
    self.keyPath = keyPath
    self.line = line
    self.source = source
    self.message = message
  }

  /// `recipes/digits.yaml:12: train.optimizer.kind: expected …, got …`
  public var description: String {
    var parts: [String] = []
    switch (source, line) {
    case (let source?, let line?): parts.append("\(source):\(line)")
    case (let source?, nil): parts.append(source)
    case (nil, let line?): parts.append("line \(line)")
    case (nil, nil): break
    }
    if !keyPath.isEmpty { parts.append(keyPath) }
    parts.append(message)
    return parts.joined(separator: ": ")
  }
}
