import Foundation
import Yams

/// Turns YAML text into nodes. The only file that knows the YAML library.
package enum RecipeParser {
  /// No recipe is this long; a longer file is something else, given by mistake.
  private static let longestRecipe = 1 << 20
  private static let deepestNesting = 32
  /// Aliases of aliases can make a short file mean billions of values.
  private static let mostValues = 100_000

  /// The tree of a YAML document whose top is a map.
  package static func parse(_ text: String) throws(RecipeError) -> RecipeNode {
    guard let node = try compose(text) else {
      throw RecipeError(keyPath: "", message: "the recipe is empty; it needs at least data, model and train")
    }
    var values = 0
    let tree = try convert(node, depth: 0, values: &values) { .line($0) }
    guard case .map = tree.content else {
      if tree.isNothing {
        throw RecipeError(
          keyPath: "", message: "the recipe is empty; it needs at least data, model and train")
      }
      throw RecipeError(
        "", at: tree.origin, "expected a map of keys (name, data, model, …), got \(tree.given)")
    }
    return tree
  }

  /// The value of an override, written as YAML: `20`, `[512, 512]`, `{kind: sgd}`.
  package static func parse(value text: String, origin: RecipeNode.Origin) throws(RecipeError) -> RecipeNode {
    guard let node = try compose(text) else {
      return RecipeNode(content: .scalar("", isQuoted: false), origin: origin)
    }
    var values = 0
    return try convert(node, depth: 0, values: &values) { _ in origin }
  }

  private static func compose(_ text: String) throws(RecipeError) -> Node? {
    guard text.utf8.count <= longestRecipe else {
      throw RecipeError(
        keyPath: "", message: "expected a recipe, got \(text.utf8.count) bytes; the limit is 1 MiB")
    }
    try checkNesting(text)
    do {
      // The basic resolver leaves every scalar as text: the schema decides what it means.
      return try Yams.compose(yaml: text, .basic)
    } catch let error as YamlError {
      throw describe(error)
    } catch {
      throw RecipeError(keyPath: "", message: "not valid YAML: \(error)")
    }
  }

  /// The YAML library descends once for each bracket, so thousands of them would exhaust the stack.
  private static func checkNesting(_ text: String) throws(RecipeError) {
    var (depth, line, dashes) = (0, 1, 0)
    var isLineStart = true
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
      case UInt8(ascii: "\n"): (line, dashes, isLineStart) = (line + 1, 0, true)
      // "- - - x" and "? ? ? x" nest as well, and only at the start of a line.
      case UInt8(ascii: "-"), UInt8(ascii: "?"): if isLineStart { dashes += 1 }
      case UInt8(ascii: " "): break
      default: isLineStart = false
      }
      if depth > 4 * deepestNesting || dashes > 4 * deepestNesting {
        throw RecipeError(keyPath: "", line: line, message: "nested too deeply to be a recipe")
      }
    }
  }

  private static func convert(
    _ node: Node, depth: Int, values: inout Int, origin: (Int) -> RecipeNode.Origin
  ) throws(RecipeError) -> RecipeNode {
    let place = origin(node.mark?.line ?? 1)
    values += 1
    guard depth < deepestNesting, values <= mostValues else {
      throw RecipeError("", at: place, "nested too deeply, or too large, to be a recipe")
    }
    switch node {
    case .scalar(let scalar):
      let isQuoted = ![.plain, .any].contains(scalar.style)
      return RecipeNode(content: .scalar(scalar.string, isQuoted: isQuoted), origin: place)
    case .sequence(let sequence):
      var elements: [RecipeNode] = []
      for element in sequence {
        elements.append(try convert(element, depth: depth + 1, values: &values, origin: origin))
      }
      return RecipeNode(content: .list(elements), origin: place)
    case .mapping(let mapping):
      var entries: [RecipeNode.Entry] = []
      for (key, value) in mapping {
        let keyPlace = origin(key.mark?.line ?? 1)
        guard case .scalar(let name) = key else {
          throw RecipeError("", at: keyPlace, "expected a key to be text, got a list or a map")
        }
        let value = try convert(value, depth: depth + 1, values: &values, origin: origin)
        entries.append(RecipeNode.Entry(key: name.string, keyOrigin: keyPlace, value: value))
      }
      return RecipeNode(content: .map(entries), origin: place)
    case .alias:
      throw RecipeError("", at: place, "an alias points nowhere")
    }
  }

  private static func describe(_ error: YamlError) -> RecipeError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return RecipeError(
        keyPath: "", line: mark.line, message: "not valid YAML: \(problem) (column \(mark.column))")
    case .duplicatedKeysInMapping(let duplicates, let context):
      let names = duplicates.sorted()
      return RecipeError(
        keyPath: "", line: context.mark.line,
        message:
          "the key \(names.map { "'\($0)'" }.joined(separator: ", ")) is given more than once; keep one")
    case .reader(let problem, _, _, _):
      return RecipeError(keyPath: "", message: "not valid YAML: \(problem)")
    default:
      return RecipeError(keyPath: "", message: "not valid YAML: \(error)")
    }
  }
}
