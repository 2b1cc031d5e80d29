import Foundation

/// A value as YAML and JSON both know it, with the keys of its maps in the order in which they were put.
package indirect enum PlainValue: Hashable, Sendable {
  case null
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case text(String)
  case list([PlainValue])
  case map([Member])

  /// One key of a map and its value.
  package struct Member: Hashable, Sendable {
    package var key: String
    package var value: PlainValue

    package init(_ key: String, _ value: PlainValue) {
      self.key = key
      self.value = value
    }
  }

  /// A map of the given keys, in this order.
  package static func object(_ members: KeyValuePairs<String, PlainValue>) -> PlainValue {
    .map(members.map { Member($0.key, $0.value) })
  }

  /// The value of `key` where this is a map that has it.
  package subscript(_ key: String) -> PlainValue? {
    guard case .map(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// Whether this is neither a list nor a map.
  package var isScalar: Bool {
    switch self {
    case .list, .map: false
    default: true
    }
  }
}

// MARK: JSON

extension PlainValue {
  /// JSON on one line. Numbers that are not finite become `null`, since JSON has no word for them.
  package var json: String {
    switch self {
    case .null: "null"
    case .boolean(let value): value ? "true" : "false"
    case .integer(let value): "\(value)"
    case .number(let value): value.isFinite ? numberText(value) : "null"
    case .text(let value): quoted(value)
    case .list(let values): "[" + values.map(\.json).joined(separator: ",") + "]"
    case .map(let members):
      "{" + members.map { quoted($0.key) + ":" + $0.value.json }.joined(separator: ",") + "}"
    }
  }

  /// JSON over several lines, two spaces a level; lists of plain values stay on one line.
  package func prettyJSON(indent: String = "") -> String {
    let inner = indent + "  "
    switch self {
    case .list(let values) where !values.allSatisfy(\.isScalar):
      return "[\n" + values.map { inner + $0.prettyJSON(indent: inner) }.joined(separator: ",\n")
        + "\n\(indent)]"
    case .list(let values):
      return "[" + values.map(\.json).joined(separator: ", ") + "]"
    case .map(let members) where !members.isEmpty:
      let lines = members.map { inner + quoted($0.key) + ": " + $0.value.prettyJSON(indent: inner) }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
    default:
      return json
    }
  }
}

// MARK: YAML

extension PlainValue {
  /// A YAML document: one key a line, maps that fit on their line in braces.
  package var yaml: String { yamlBlock(indent: "") }

  private func yamlBlock(indent: String) -> String {
    guard case .map(let members) = self else { return indent + yamlFlow + "\n" }
    var text = ""
    for member in members {
      let line = indent + yamlScalar(member.key) + ": " + member.value.yamlFlow
      if case .map(let inside) = member.value, !inside.isEmpty, line.count > 100 || !member.value.isShallow {
        text += indent + yamlScalar(member.key) + ":\n" + member.value.yamlBlock(indent: indent + "  ")
      } else {
        text += line + "\n"
      }
    }
    return text
  }

  /// Whether no map lies inside this map.
  private var isShallow: Bool {
    guard case .map(let members) = self else { return true }
    return members.allSatisfy { if case .map = $0.value { false } else { true } }
  }

  private var yamlFlow: String {
    switch self {
    case .text(let value): yamlScalar(value)
    case .number(let value) where value.isFinite: numberText(value)
    case .number(let value): value.isNaN ? ".nan" : value < 0 ? "-.inf" : ".inf"
    case .list(let values): "[" + values.map(\.yamlFlow).joined(separator: ", ") + "]"
    case .map(let members):
      "{" + members.map { yamlScalar($0.key) + ": " + $0.value.yamlFlow }.joined(separator: ", ") + "}"
    default: json
    }
  }
}

/// Text as YAML: bare where it cannot be taken for anything else, in quotes otherwise.
private func yamlScalar(_ text: String) -> String {
  let isBare =
    text.unicodeScalars.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || "0123456789_-./".unicodeScalars.contains($0))
    }
    && (text.first.map { $0.isLetter || $0 == "/" || $0 == "_" } ?? false)
  let isWord = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
  return isBare && !isWord ? text : quoted(text)
}

/// The shortest text that reads back as the same number.
private func numberText(_ value: Double) -> String {
  if let whole = Int(exactly: value), abs(whole) < 1 << 53, value.sign == .plus || whole != 0 {
    return "\(whole)"
  }
  return "\(value)"
}

/// Text in double quotes, with the escapes that JSON and YAML share.
private func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case _
    where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
      || [0x2028, 0x2029].contains(scalar.value):
      let hex = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
