/// The recipe's keys for other programs and for people, written from the same tree that reads recipes.
public enum RecipeSchema {
  /// JSON Schema, draft 2020-12, of a recipe; editors use it to complete and check.
  public static func json() -> String {
    var members: [PlainValue.Member] = [
      .init("$schema", .text("https://json-schema.org/draft/2020-12/schema")),
      .init("title", .text("Pando recipe")),
    ]
    if case .map(let inside) = schema(of: Recipe.section.shape) { members += inside }
    return PlainValue.map(members).prettyJSON() + "\n"
  }

  private static func schema(of shape: ValueShape) -> PlainValue {
    switch shape {
    case .text: return .object(["type": .text("string"), "minLength": .integer(1)])
    case .boolean: return .object(["type": .text("boolean")])
    case .integer(let range):
      var members: [PlainValue.Member] = [.init("type", .text("integer"))]
      if range.lowerBound != .min { members.append(.init("minimum", .integer(range.lowerBound))) }
      members.append(.init("maximum", .integer(range.upperBound)))
      return .map(members)
    case .number(let bounds):
      var members: [PlainValue.Member] = [.init("type", .text("number"))]
      if let lower = bounds.lower {
        members.append(.init(bounds.lowerIsAllowed ? "minimum" : "exclusiveMinimum", .number(lower)))
      }
      if let upper = bounds.upper {
        members.append(.init(bounds.upperIsAllowed ? "maximum" : "exclusiveMaximum", .number(upper)))
      }
      return .map(members)
    case .byteSize:
      let text = PlainValue.object([
        "type": .text("string"), "pattern": .text("^[0-9]+(\\.[0-9]+)? *([KkMmGgTt]i?[Bb]|[Bb])?$"),
      ])
      return .object(["anyOf": .list([.object(["type": .text("integer"), "minimum": .integer(1)]), text])])
    case .choice(let names): return .object(["enum": .list(names.map(PlainValue.text))])
    case .integerChoice(let values): return .object(["enum": .list(values.map(PlainValue.integer))])
    case .list(let element, let count):
      return .object([
        "type": .text("array"), "items": schema(of: element), "minItems": .integer(count.lowerBound),
        "maxItems": .integer(count.upperBound),
      ])
    case .dictionary(let element):
      return .object(["type": .text("object"), "additionalProperties": schema(of: element)])
    case .either(let shapes): return .object(["anyOf": .list(shapes.map(schema))])
    case .section(let section): return schema(of: section)
    }
  }

  private static func schema(of section: SectionShape) -> PlainValue {
    guard let variants = section.variants else { return object(section.fields, section.alternatives) }
    return .object([
      "type": .text("object"),
      "oneOf": .list(
        variants.cases.map { variant in
          let kind = FieldShape(
            name: variants.key, documentation: variant.documentation,
            isRequired: variants.defaultCase != variant.name, defaultValue: nil,
            shape: .choice([variant.name]))
          return object([kind] + section.fields + variant.fields, section.alternatives)
        }),
    ])
  }

  private static func object(_ fields: [FieldShape], _ alternatives: [[String]]) -> PlainValue {
    let properties = fields.map { field in
      var members: [PlainValue.Member] = [.init("description", .text(field.documentation))]
      if case .map(let inside) = schema(of: field.shape) { members += inside }
      if let value = field.defaultValue { members.append(.init("default", value)) }
      return PlainValue.Member(field.name, .map(members))
    }
    var members: [PlainValue.Member] = [
      .init("type", .text("object")), .init("properties", .map(properties)),
      .init("additionalProperties", .boolean(false)),
    ]
    // The run's name has a default after all: the recipe file's.
    let required = fields.filter { $0.isRequired && $0.name != "name" }.map { PlainValue.text($0.name) }
    if !required.isEmpty { members.append(.init("required", .list(required))) }
    for group in alternatives {
      members.append(.init("oneOf", .list(group.map { .object(["required": .list([.text($0)])]) })))
    }
    return .map(members)
  }

  /// Tables of every key in Markdown, as `docs/recipe.md` holds them.
  public static func markdown() -> String {
    let introduction = """
      # Recipe keys

      A recipe is a YAML file; `pando schema` prints its JSON Schema. Every key can be overridden on the
      command line: `--set train.steps=20`. A size in bytes is written `8GiB`, a number `1e-3`.
      This page is generated from the schema: `pando schema --markdown`.

      """
    return introduction + tables(Recipe.section.shape, path: "", documentation: "The top of a recipe.")
  }

  private static func tables(_ section: SectionShape, path: String, documentation: String) -> String {
    var text = "\n## \(path.isEmpty ? "Top" : "`\(path)`")\n\n\(documentation)\n"
    for group in section.alternatives {
      text += "Exactly one of " + group.map { "`\($0)`" }.joined(separator: " and ") + " is given.\n"
    }
    var inner = ""
    func table(_ fields: [FieldShape]) {
      guard !fields.isEmpty else { return }
      text += "\n| Key | Value | Default | Meaning |\n|---|---|---|---|\n"
      for field in fields {
        var (kind, value) = (field.shape.expectation, field.defaultValue.map { "`\($0.flowText)`" } ?? "–")
        if let (section, others) = field.shape.keys {
          let path = join(path, field.name)
          kind = (others.map(\.expectation) + ["keys of `\(path)`"]).joined(separator: ", or ")
          if others.isEmpty || field.defaultValue.map({ !$0.isScalar }) ?? false { value = "see there" }
          inner += tables(section, path: path, documentation: field.documentation)
        }
        if field.isRequired { value = field.name == "name" ? "the file's name" : "**required**" }
        text +=
          "| `\(field.name)` | \(kind.replacing("|", with: "\\|")) | \(value) | \(field.documentation) |\n"
      }
    }
    table(section.fields)
    for variant in section.variants?.cases ?? [] {
      let key = section.variants?.key ?? ""
      let mark = section.variants?.defaultCase == variant.name ? " (the default)" : ""
      text += "\n`\(key): \(variant.name)`\(mark): \(variant.documentation)\n"
      table(variant.fields)
    }
    return text + inner
  }
}

extension PlainValue {
  /// One line, as the value would be written in a recipe.
  fileprivate var flowText: String {
    switch self {
    case .text(let text): text
    default: json.replacing(",", with: ", ")
    }
  }
}
