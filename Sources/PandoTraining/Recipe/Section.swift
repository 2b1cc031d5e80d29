import PandoIR

/// The keys of one map of the recipe, bound to the properties of `Root`.
///
/// This one declaration drives decoding, encoding, errors, defaults, the JSON Schema and the documentation.
package struct Section<Root: Sendable>: Sendable {
  /// All keys absent: where the defaults come from.
  package let blank: Root
  /// Keys that every variant has.
  package let fields: [Field<Root>]
  /// The key that chooses a variant.
  package let variants: Variants<Root>?
  /// Groups of keys of which exactly one must be given.
  package let alternatives: [[String]]

  package init(
    blank: Root, variants: Variants<Root>? = nil, alternatives: [[String]] = [], _ fields: [Field<Root>]
  ) {
    self.blank = blank
    self.fields = fields
    self.variants = variants
    self.alternatives = alternatives
  }

  /// The same as data.
  package var shape: SectionShape {
    let cases = variants?.cases.map { variant in
      var root = blank
      variant.install(&root)
      return VariantsShape.Case(
        name: variant.name, documentation: variant.documentation,
        fields: variant.fields.map { $0.shape(defaultsOf: root) })
    }
    return SectionShape(
      fields: fields.map { $0.shape(defaultsOf: blank) },
      variants: variants.map { variants in
        VariantsShape(
          key: variants.key, cases: cases ?? [],
          defaultCase: variants.isRequired ? nil : variants.current(blank)?.name)
      },
      alternatives: alternatives)
  }

  /// Every key, defaults included; absent optional keys are left out.
  package func encode(_ root: Root) -> PlainValue {
    var members: [PlainValue.Member] = []
    let variant = variants?.current(root)
    if let variants, let variant { members.append(.init(variants.key, .text(variant.name))) }
    for field in fields + (variant?.fields ?? []) {
      if let value = field.encode(root) { members.append(.init(field.name, value)) }
    }
    return .map(members)
  }

  /// Reads a map; an unknown, missing or excess key is an error.
  package func decode(_ node: RecipeNode, at path: String) throws(RecipeError) -> Root {
    guard case .map(let entries) = node.content else {
      throw ValueShape.section(shape).mismatch(node, at: path)
    }
    var root = blank
    let variant = try chooseVariant(entries, of: node, at: path)
    if let variant, variants?.current(blank)?.name != variant.name { variant.install(&root) }
    let known = fields + (variant?.fields ?? [])
    for entry in entries where entry.key != variants?.key {
      guard let field = known.first(where: { $0.name == entry.key }) else {
        throw unknownKey(entry, variant: variant, at: path)
      }
      try field.decode(&root, entry.value, join(path, entry.key))
    }
    for field in known where field.isRequired && !entries.contains(where: { $0.key == field.name }) {
      throw RecipeError(
        join(path, field.name), at: node.origin, "missing; expected \(field.codecShape.expectation)")
    }
    try checkAlternatives(entries, of: node, at: path)
    return root
  }

  private func chooseVariant(
    _ entries: [RecipeNode.Entry], of node: RecipeNode, at path: String
  ) throws(RecipeError) -> Variant<Root>? {
    guard let variants else { return nil }
    let names = variants.cases.map(\.name)
    guard let entry = entries.first(where: { $0.key == variants.key }) else {
      if variants.isRequired {
        throw RecipeError(
          join(path, variants.key), at: node.origin, "missing; expected \(ValueShape.alternatives(names))")
      }
      return variants.current(blank)
    }
    guard case .scalar(let name, _) = entry.value.content,
      let variant = variants.cases.first(where: { $0.name == name })
    else {
      throw ValueShape.choice(names).mismatch(
        entry.value, at: join(path, variants.key), hint: suggestion(for: entry.value, among: names))
    }
    return variant
  }

  private func checkAlternatives(
    _ entries: [RecipeNode.Entry], of node: RecipeNode, at path: String
  ) throws(RecipeError) {
    for group in alternatives {
      let given = entries.filter { group.contains($0.key) }
      if given.isEmpty {
        throw RecipeError(path, at: node.origin, "missing key: give \(ValueShape.alternatives(group))")
      }
      if given.count > 1 {
        throw RecipeError(
          join(path, given[1].key), at: given[1].keyOrigin,
          "expected only one of \(group.joined(separator: " and ")), got \(given.count); remove one")
      }
    }
  }

  private func unknownKey(_ entry: RecipeNode.Entry, variant: Variant<Root>?, at path: String) -> RecipeError
  {
    let known = fields.map(\.name) + (variant?.fields.map(\.name) ?? [])
    let owners = variants?.cases.filter { $0.fields.contains { $0.name == entry.key } }.map(\.name) ?? []
    var message = "unknown key '\(entry.key)'"
    if let variant, let variants, !owners.isEmpty {
      message += " for \(variants.key) \(variant.name); it belongs to \(ValueShape.alternatives(owners))"
      message += known.isEmpty ? "" : " (\(variant.name) takes \(known.joined(separator: ", ")))"
    } else if let name = nearestName(to: entry.key, among: known) {
      message += "; did you mean '\(name)'?"
    } else if let inner = shape.path(toKeyNamed: entry.key) {
      message += "; did you mean '\(join(path, inner))'?"
    } else {
      message += "; expected one of \(((variants.map { [$0.key] } ?? []) + known).joined(separator: ", "))"
    }
    return RecipeError(join(path, entry.key), at: entry.keyOrigin, message)
  }
}

/// `train` and `steps` make `train.steps`.
package func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

/// A key of a section, bound to a property.
package struct Field<Root: Sendable>: Sendable {
  package let name: String
  package let documentation: String
  package let isRequired: Bool
  package let codecShape: ValueShape
  package let decode: @Sendable (inout Root, RecipeNode, String) throws(RecipeError) -> Void
  package let encode: @Sendable (Root) -> PlainValue?

  /// A key that may be absent; the property's initial value is its default.
  package static func key<Value>(
    _ name: String, _ property: WritableKeyPath<Root, Value> & Sendable, _ codec: Codec<Value>,
    _ documentation: String
  ) -> Field {
    Field(
      name: name, documentation: documentation, isRequired: false, codecShape: codec.shape,
      decode: { (root, node, path) throws(RecipeError) in
        root[keyPath: property] = try codec.decode(node, path)
      },
      encode: { codec.encode($0[keyPath: property]) })
  }

  /// A key that must be given.
  package static func required<Value>(
    _ name: String, _ property: WritableKeyPath<Root, Value> & Sendable, _ codec: Codec<Value>,
    _ documentation: String
  ) -> Field {
    let field = key(name, property, codec, documentation)
    return Field(
      name: name, documentation: documentation, isRequired: true, codecShape: codec.shape,
      decode: field.decode,
      encode: field.encode)
  }

  /// A key that may be absent, which then means that there is none.
  package static func optional<Value>(
    _ name: String, _ property: WritableKeyPath<Root, Value?> & Sendable, _ codec: Codec<Value>,
    _ documentation: String
  ) -> Field {
    Field(
      name: name, documentation: documentation, isRequired: false, codecShape: codec.shape,
      decode: { (root, node, path) throws(RecipeError) in
        root[keyPath: property] = try codec.decode(node, path)
      },
      encode: { $0[keyPath: property].map(codec.encode) })
  }

  fileprivate func shape(defaultsOf root: Root) -> FieldShape {
    FieldShape(
      name: name, documentation: documentation, isRequired: isRequired,
      defaultValue: isRequired ? nil : encode(root), shape: codecShape)
  }
}

/// A key whose value decides which other keys there are.
package struct Variants<Root: Sendable>: Sendable {
  package let key: String
  package let isRequired: Bool
  package let cases: [Variant<Root>]

  package init(key: String, isRequired: Bool, _ cases: [Variant<Root>]) {
    (self.key, self.isRequired, self.cases) = (key, isRequired, cases)
  }

  /// The variant that `root` is.
  package func current(_ root: Root) -> Variant<Root>? { cases.first { $0.matches(root) } }
}

/// One value of a discriminating key, with the keys that come with it.
package struct Variant<Root: Sendable>: Sendable {
  package let name: String
  package let documentation: String
  package let fields: [Field<Root>]
  package let matches: @Sendable (Root) -> Bool
  /// Makes `root` this variant, with its defaults.
  package let install: @Sendable (inout Root) -> Void

  /// A variant whose keys are the properties of `Payload`.
  package init<Payload: Sendable>(
    _ name: String, _ documentation: String, blank: Payload,
    embed: @escaping @Sendable (inout Root, Payload) -> Void, extract: @escaping @Sendable (Root) -> Payload?,
    _ fields: [Field<Payload>]
  ) {
    self.name = name
    self.documentation = documentation
    self.matches = { extract($0) != nil }
    self.install = { embed(&$0, blank) }
    self.fields = fields.map { field in
      Field<Root>(
        name: field.name, documentation: field.documentation, isRequired: field.isRequired,
        codecShape: field.codecShape,
        decode: { (root, node, path) throws(RecipeError) in
          var payload = extract(root) ?? blank
          try field.decode(&payload, node, path)
          embed(&root, payload)
        },
        encode: { extract($0).flatMap(field.encode) })
    }
  }
}
