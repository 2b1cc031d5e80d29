import Foundation

extension Graph: CustomStringConvertible {
  /// The text form, which `Graph(parsing:operations:)` reads back:
  ///
  ///     graph(%0 "x": float32[2,3], %1 "w": float32[3,4]) {
  ///       %2: float32[2,4] = contraction(%0, %1) {"lhs":"ik","result":"ij","rhs":"kj"}
  ///       return %2
  ///     }
  ///
  /// Values are numbered in the order in which they appear.
  public var description: String {
    var numbers: [Int: Int] = [:]
    func name(_ value: Value) -> String {
      if let number = numbers[value.id] { return "%\(number)" }
      numbers[value.id] = numbers.count
      return "%\(numbers.count - 1)"
    }
    let arguments = inputs.map { "\(name($0.value)) \(quoted($0.name)): \($0.value.type)" }
    var lines = ["graph(\(arguments.joined(separator: ", "))) {"]
    for node in nodes {
      let operands = node.operands.map(name).joined(separator: ", ")
      let results = node.results.map { "\(name($0)): \($0.type)" }.joined(separator: ", ")
      let attributes = AttributeText.encode(node.operation)
      lines.append(
        "  \(results) = \(type(of: node.operation).name)(\(operands))"
          + (attributes == "{}" ? "" : " " + attributes))
    }
    lines.append("  return \(outputs.map(name).joined(separator: ", "))")
    lines.append("}")
    return lines.joined(separator: "\n") + "\n"
  }

  private func quoted(_ name: String) -> String {
    "\"" + name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}

/// An operation's attributes as one line of JSON with sorted keys.
enum AttributeText {
  static func encode(_ operation: any Operation) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do {
      return String(decoding: try encoder.encode(operation), as: UTF8.self)
    } catch {
      preconditionFailure("\(type(of: operation).name) has an attribute that cannot be written: \(error)")
    }
  }

  static func decode(_ type: any Operation.Type, _ text: String) throws -> any Operation {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try decoder.decode(type, from: Data(text.utf8))
  }
}
