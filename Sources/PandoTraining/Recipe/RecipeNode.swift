/// A value as it stands in the recipe, with the place where it was written.
package struct RecipeNode: Sendable {
  package enum Content: Sendable {
    /// Text between separators; quoted text is never a number, a boolean or nothing.
    case scalar(String, isQuoted: Bool)
    case list([RecipeNode])
    case map([Entry])
  }

  /// A key and its value.
  package struct Entry: Sendable {
    package var key: String
    package var keyOrigin: Origin
    package var value: RecipeNode
  }

  /// Who wrote a value.
  package enum Origin: Hashable, Sendable {
    /// A line of the recipe, from 1.
    case line(Int)
    /// An override, as given.
    case override(String)
  }

  package var content: Content
  package var origin: Origin

  /// Whether this is an empty or null value.
  package var isNothing: Bool {
    if case .scalar(let text, isQuoted: false) = content {
      return ["", "~", "null", "Null", "NULL"].contains(text)
    }
    return false
  }

  /// The number that an unquoted scalar means; infinities and not-a-number are none.
  package var number: Double? {
    guard case .scalar(let text, isQuoted: false) = content,
      text.utf8.allSatisfy({ (0x30...0x39).contains($0) || [0x2b, 0x2d, 0x2e, 0x45, 0x65].contains($0) })
    else { return nil }
    return Double(text)
  }

  /// How an error says what it got.
  package var given: String {
    switch content {
    case .list(let elements): return "a list of \(elements.count)"
    case .map: return "a map"
    case .scalar(let text, let isQuoted):
      if isNothing { return "nothing" }
      let shown = text.count > 60 ? text.prefix(57) + "…" : text[...]
      if isQuoted { return "the quoted text \"\(shown)\"" }
      return number == nil ? "'\(shown)'" : "\(shown)"
    }
  }

  /// The node at a dotted path, if it was given.
  package func node(at path: some Sequence<String>) -> RecipeNode? {
    var node = self
    for key in path {
      guard case .map(let entries) = node.content, let entry = entries.first(where: { $0.key == key }) else {
        return nil
      }
      node = entry.value
    }
    return node
  }
}

extension RecipeError {
  /// An error about a value written at `origin`.
  package init(_ keyPath: String, at origin: RecipeNode.Origin?, _ message: String) {
    switch origin {
    case .line(let line): self.init(keyPath: keyPath, line: line, message: message)
    case .override(let text): self.init(keyPath: keyPath, source: "--set \(text)", message: message)
    case nil: self.init(keyPath: keyPath, message: message)
    }
  }
}
