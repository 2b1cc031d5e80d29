/// What a key accepts, as data: errors, the JSON Schema and the documentation are all written from it.
package indirect enum ValueShape: Sendable {
  case text
  case boolean
  case integer(ClosedRange<Int>)
  case number(Bounds)
  case byteSize
  case choice([String])
  case integerChoice([Int])
  case list(of: ValueShape, count: ClosedRange<Int>)
  case dictionary(of: ValueShape)
  case either([ValueShape])
  case section(SectionShape)

  /// How an error says what it expected: `a whole number, 1 or more`.
  package var expectation: String {
    switch self {
    case .text: return "text"
    case .boolean: return "true or false"
    case .integer(let range): return "a whole number" + ValueShape.limits(range)
    case .number(let bounds): return "a number" + bounds.description
    case .byteSize: return "a size in bytes such as 8GiB"
    case .choice(let names): return ValueShape.alternatives(names)
    case .integerChoice(let values): return ValueShape.alternatives(values.map(String.init))
    case .list(let element, _): return "a list, each element \(element.expectation)"
    case .dictionary(let element): return "a map from names to values, each \(element.expectation)"
    case .either(let shapes): return shapes.map(\.expectation).joined(separator: ", or ")
    case .section(let section):
      let names = section.keyNames
      return "a map of keys (" + names.prefix(4).joined(separator: ", ") + (names.count > 4 ? ", …)" : ")")
    }
  }

  private static func limits(_ range: ClosedRange<Int>) -> String {
    switch (range.lowerBound, range.upperBound) {
    case (.min, .max): ""
    // An upper limit that no one comes near is there against overflow, and only in the way of reading.
    case (let lower, (1 << 40)...): ", \(lower) or more"
    case (let lower, let upper): " from \(lower) to \(upper)"
    }
  }

  /// The keys of what may be a map, and what else it may be; `nil` where it is none.
  package var keys: (section: SectionShape, others: [ValueShape])? {
    switch self {
    case .section(let section): (section, [])
    case .either(let shapes):
      shapes.lazy.compactMap(\.keys).first.map { keys in
        (keys.section, shapes.filter { $0.keys == nil })
      }
    default: nil
    }
  }

  /// `sgd, adam or adamw`
  package static func alternatives(_ names: [String]) -> String {
    guard let last = names.last, names.count > 1 else { return names.first ?? "nothing" }
    return names.dropLast().joined(separator: ", ") + " or " + last
  }
}

/// Which numbers a key accepts; infinities and not-a-number never.
package struct Bounds: Hashable, Sendable, CustomStringConvertible {
  package var lower: Double?
  package var lowerIsAllowed = true
  package var upper: Double?
  package var upperIsAllowed = true

  /// Every finite number.
  package static let finite = Bounds()
  /// Numbers greater than `limit`.
  package static func above(_ limit: Double) -> Bounds { Bounds(lower: limit, lowerIsAllowed: false) }
  /// `limit` and greater.
  package static func atLeast(_ limit: Double) -> Bounds { Bounds(lower: limit) }
  /// Both ends allowed.
  package static func within(_ range: ClosedRange<Double>) -> Bounds {
    Bounds(lower: range.lowerBound, upper: range.upperBound)
  }
  /// The upper end not allowed.
  package static func within(_ range: Range<Double>) -> Bounds {
    Bounds(lower: range.lowerBound, upper: range.upperBound, upperIsAllowed: false)
  }
  /// Neither end allowed.
  package static func between(_ lower: Double, _ upper: Double) -> Bounds {
    Bounds(lower: lower, lowerIsAllowed: false, upper: upper, upperIsAllowed: false)
  }

  /// Whether `value` is finite and inside.
  package func contains(_ value: Double) -> Bool {
    guard value.isFinite else { return false }
    if let lower, value < lower || (value == lower && !lowerIsAllowed) { return false }
    if let upper, value > upper || (value == upper && !upperIsAllowed) { return false }
    return true
  }

  package var description: String {
    let text = { (value: Double) in PlainValue.number(value).json }
    return switch (lower, upper) {
    case (nil, nil): ""
    case (let lower?, nil): lowerIsAllowed ? ", \(text(lower)) or more" : " above \(text(lower))"
    case (nil, let upper?): upperIsAllowed ? ", \(text(upper)) or less" : " below \(text(upper))"
    case (let lower?, let upper?):
      (lowerIsAllowed ? " from \(text(lower))" : " above \(text(lower))")
        + (upperIsAllowed
          ? " to \(text(upper))" : lowerIsAllowed ? " to below \(text(upper))" : " and below \(text(upper))")
    }
  }
}

/// The keys of a map.
package struct SectionShape: Sendable {
  /// Keys that every variant has.
  package var fields: [FieldShape]
  /// The key that chooses a variant, with each variant's own keys.
  package var variants: VariantsShape?
  /// Groups of keys of which exactly one must be given.
  package var alternatives: [[String]]

  /// Every key of every variant, once.
  package var keyNames: [String] {
    var names = (variants.map { [$0.key] } ?? []) + fields.map(\.name)
    for field in variants?.cases.flatMap(\.fields) ?? [] where !names.contains(field.name) {
      names.append(field.name)
    }
    return names
  }

  /// What `key` accepts, in any variant; the discriminating key accepts the variants' names.
  package func shape(of key: String) -> ValueShape? {
    if let variants, variants.key == key { return .choice(variants.cases.map(\.name)) }
    let all = fields + (variants?.cases.flatMap(\.fields) ?? [])
    return all.first { $0.name == key }?.shape
  }

  /// Where in this section, at any depth, a key of this exact name stands: `optimizer.learning-rate`.
  package func path(toKeyNamed name: String) -> String? {
    if keyNames.contains(name) { return name }
    for key in keyNames {
      if let inner = shape(of: key)?.keys?.section, let path = inner.path(toKeyNamed: name) {
        return "\(key).\(path)"
      }
    }
    return nil
  }
}

/// One key of a map.
package struct FieldShape: Sendable {
  package var name: String
  package var documentation: String
  package var isRequired: Bool
  /// What an absent key means; `nil` where it means that there is none.
  package var defaultValue: PlainValue?
  package var shape: ValueShape
}

/// A key whose value decides which other keys there are.
package struct VariantsShape: Sendable {
  package struct Case: Sendable {
    package var name: String
    package var documentation: String
    package var fields: [FieldShape]
  }

  package var key: String
  package var cases: [Case]
  /// The variant taken where the key is absent; `nil` where the key must be given.
  package var defaultCase: String?
}
