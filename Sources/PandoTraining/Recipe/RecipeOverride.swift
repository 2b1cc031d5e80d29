import PandoIR

/// One `--set path=value`.
package struct RecipeOverride: Sendable {
  private let text: String
  private let path: [String]
  private let value: RecipeNode

  /// Reads `train.steps=20`; the value is YAML, so lists and maps work: `model={kind: mlp, hidden: [10]}`.
  package init(_ text: String) throws(RecipeError) {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
      throw RecipeError(
        "", at: .override(text), "expected a key path, '=' and a value, such as train.steps=20")
    }
    let path = text[..<equals].split(separator: ".", omittingEmptySubsequences: false).map {
      $0.trimmingPrefix { $0 == " " }.description
    }
    guard !path.contains("") else {
      throw RecipeError("", at: .override(text), "expected keys separated by single dots before '='")
    }
    self.text = text
    self.path = path
    do {
      value = try RecipeParser.parse(
        value: String(text[text.index(after: equals)...]), origin: .override(text))
    } catch var error {
      (error.source, error.line, error.keyPath) = ("--set \(text)", nil, path.joined(separator: "."))
      throw error
    }
  }

  /// Puts the value into the recipe's tree; an empty value removes the key.
  ///
  /// Where exactly one of several keys is allowed (`epochs`, `steps`), the others go.
  package func apply(to tree: inout RecipeNode, shape: SectionShape) throws(RecipeError) {
    try set(path[...], in: &tree, shape: shape)
  }

  private func set(_ keys: ArraySlice<String>, in node: inout RecipeNode, shape: SectionShape?)
    throws(RecipeError)
  {
    guard let key = keys.first else { return }
    let here = path[..<keys.endIndex].prefix(keys.startIndex + 1).joined(separator: ".")
    var entries: [RecipeNode.Entry] = []
    if case .map(let existing) = node.content { entries = existing }

    let inner = shape?.shape(of: key)
    if let shape, inner == nil { throw unknown(key, at: here, shape: shape) }
    for group in shape?.alternatives ?? [] where group.contains(key) && !value.isNothing {
      entries.removeAll { group.contains($0.key) && $0.key != key && !isOverride($0.keyOrigin) }
    }

    let index = entries.firstIndex { $0.key == key }
    if keys.count == 1 {
      if value.isNothing {
        if let index { entries.remove(at: index) }
      } else if let index {
        entries[index] = RecipeNode.Entry(key: key, keyOrigin: .override(text), value: value)
      } else {
        entries.append(RecipeNode.Entry(key: key, keyOrigin: .override(text), value: value))
      }
    } else {
      guard let section = Self.mapShape(inner) else {
        throw RecipeError(
          path.joined(separator: "."), at: .override(text),
          "'\(here)' has no keys inside; it is \(inner?.expectation ?? "one value")")
      }
      var child =
        index.map { entries[$0].value } ?? RecipeNode(content: .map([]), origin: .override(text))
      try set(keys.dropFirst(), in: &child, shape: section.shape)
      if let index {
        entries[index].value = child
      } else {
        entries.append(RecipeNode.Entry(key: key, keyOrigin: .override(text), value: child))
      }
    }
    node.content = .map(entries)
  }

  /// The keys below a value that may be a map; `shape` is `nil` where any key goes.
  private static func mapShape(_ shape: ValueShape?) -> (shape: SectionShape?, Void)? {
    switch shape {
    case .section(let section): (section, ())
    case .dictionary: (nil, ())
    case .either(let shapes): shapes.lazy.compactMap(mapShape).first
    default: nil
    }
  }

  private func isOverride(_ origin: RecipeNode.Origin) -> Bool {
    if case .override = origin { true } else { false }
  }

  private func unknown(_ key: String, at here: String, shape: SectionShape) -> RecipeError {
    let prefix = here.split(separator: ".").dropLast().joined(separator: ".")
    let hint =
      nearestName(to: key, among: shape.keyNames).map { join(prefix, $0) }
      ?? shape.path(toKeyNamed: key).map { join(prefix, $0) }
    let end =
      hint.map { "did you mean '\($0)'?" } ?? "expected one of \(shape.keyNames.joined(separator: ", "))"
    return RecipeError(here, at: .override(text), "unknown key '\(key)'; \(end)")
  }
}
