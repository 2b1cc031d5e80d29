import PandoIR

/// How one kind of value is read from a recipe, written back, and described.
package struct Codec<Value: Sendable>: Sendable {
  /// What is accepted, as data.
  package let shape: ValueShape
  /// Reads a node; the text is the key path for errors.
  package let decode: @Sendable (RecipeNode, String) throws(RecipeError) -> Value
  /// Writes a value so that `decode` reads it back as equal.
  package let encode: @Sendable (Value) -> PlainValue

  package init(
    _ shape: ValueShape, decode: @escaping @Sendable (RecipeNode, String) throws(RecipeError) -> Value,
    encode: @escaping @Sendable (Value) -> PlainValue
  ) {
    (self.shape, self.decode, self.encode) = (shape, decode, encode)
  }
}

extension ValueShape {
  /// The error for a node that this shape does not accept.
  package func mismatch(_ node: RecipeNode, at path: String, hint: String? = nil) -> RecipeError {
    RecipeError(
      path, at: node.origin, "expected \(expectation), got \(node.given)" + (hint.map { "; \($0)" } ?? ""))
  }
}

// MARK: Scalars

extension Codec where Value == String {
  /// Any scalar but nothing; numbers are taken as they are written.
  package static let text = Codec(
    .text,
    decode: { (node, path) throws(RecipeError) in
      guard case .scalar(let text, _) = node.content, !node.isNothing, !text.isEmpty else {
        throw ValueShape.text.mismatch(node, at: path)
      }
      return text
    }, encode: { .text($0) })
}

extension Codec where Value == Bool {
  /// `true` or `false`, nothing else: YAML's other words for them are a known trap.
  package static let boolean = Codec(
    .boolean,
    decode: { (node, path) throws(RecipeError) in
      guard case .scalar(let text, isQuoted: false) = node.content, text == "true" || text == "false" else {
        throw ValueShape.boolean.mismatch(node, at: path)
      }
      return text == "true"
    }, encode: { .boolean($0) })
}

extension Codec where Value == Int {
  /// A whole number in `range`; `1e4` is one.
  package static func integer(_ range: ClosedRange<Int>) -> Codec {
    let shape = ValueShape.integer(range)
    return Codec(
      shape,
      decode: { (node, path) throws(RecipeError) in
        guard let value = node.wholeNumber, range.contains(value) else {
          throw shape.mismatch(node, at: path)
        }
        return value
      }, encode: { .integer($0) })
  }

  /// One of a few whole numbers.
  package static func integer(among values: [Int]) -> Codec {
    let shape = ValueShape.integerChoice(values)
    return Codec(
      shape,
      decode: { (node, path) throws(RecipeError) in
        guard let value = node.wholeNumber, values.contains(value) else {
          throw shape.mismatch(node, at: path)
        }
        return value
      }, encode: { .integer($0) })
  }

  /// Bytes, written `8GiB`.
  package static let byteSize = Codec(
    .byteSize,
    decode: { (node, path) throws(RecipeError) in
      guard case .scalar(let text, _) = node.content, let bytes = ByteSize.parse(text) else {
        throw ValueShape.byteSize.mismatch(node, at: path)
      }
      return bytes
    }, encode: { .text(ByteSize.text($0)) })
}

extension RecipeNode {
  /// The whole number that an unquoted scalar means.
  package var wholeNumber: Int? {
    guard let number, case .scalar(let text, _) = content else { return nil }
    return Int(text) ?? Int(exactly: number)
  }
}

extension Codec where Value == Double {
  /// A finite number within `bounds`.
  package static func number(_ bounds: Bounds) -> Codec {
    let shape = ValueShape.number(bounds)
    return Codec(
      shape,
      decode: { (node, path) throws(RecipeError) in
        guard let value = node.number, bounds.contains(value) else { throw shape.mismatch(node, at: path) }
        return value
      }, encode: { .number($0) })
  }
}

extension Codec where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of an enumeration's names.
  package static func choice() -> Codec {
    let names = Value.allCases.map(\.rawValue)
    let shape = ValueShape.choice(names)
    return Codec(
      shape,
      decode: { (node, path) throws(RecipeError) in
        guard case .scalar(let text, _) = node.content, let value = Value(rawValue: text) else {
          throw shape.mismatch(node, at: path, hint: suggestion(for: node, among: names))
        }
        return value
      }, encode: { .text($0.rawValue) })
  }
}

/// `did you mean 'adamw'?`
package func suggestion(for node: RecipeNode, among names: [String]) -> String? {
  guard case .scalar(let text, _) = node.content, let name = nearestName(to: text, among: names) else {
    return nil
  }
  return "did you mean '\(name)'?"
}

// MARK: Composites

extension Codec {
  /// A list of `count` elements.
  package static func list<Element: Sendable>(
    _ element: Codec<Element>, count: ClosedRange<Int> = 1...1024
  ) -> Codec where Value == [Element] {
    let shape = ValueShape.list(of: element.shape, count: count)
    return Codec(
      shape,
      decode: { (node, path) throws(RecipeError) in
        guard case .list(let nodes) = node.content else { throw shape.mismatch(node, at: path) }
        guard count.contains(nodes.count) else {
          throw RecipeError(
            path, at: node.origin,
            "expected \(count.lowerBound) to \(count.upperBound) elements, got \(nodes.count)")
        }
        var values: [Element] = []
        for (index, node) in nodes.enumerated() {
          values.append(try element.decode(node, "\(path)[\(index)]"))
        }
        return values
      }, encode: { .list($0.map(element.encode)) })
  }

  /// A map of keys.
  package static func section(_ section: Section<Value>) -> Codec {
    Codec(
      .section(section.shape),
      decode: { (node, path) throws(RecipeError) in try section.decode(node, at: path) },
      encode: { section.encode($0) })
  }
}
