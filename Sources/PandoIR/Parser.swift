/// Text that is not a graph: the line, and what is wrong there.
public struct ParseError: Error, CustomStringConvertible, Sendable {
  /// The line, counted from 1.
  public let line: Int
  /// What was expected and what was found.
  public let message: String

  /// `line 3: …`
  public var description: String { "line \(line): \(message)" }
}

extension Graph {
  /// Reads the text form that `description` prints.
  ///
  /// - Parameters:
  ///   - text: one graph.
  ///   - operations: the operations that may occur, as in `Catalogue.standard.operations`.
  /// - Throws: `ParseError` with the line.
  public init(parsing text: String, operations: [any Operation.Type]) throws {
    let types = Dictionary(operations.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var builder = GraphBuilder()
    var values: [Substring: Value] = [:]
    var finished = false
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, whole) in lines.enumerated() {
      var line = Cursor(text: whole, line: index + 1)
      line.skipSpaces()
      if line.isAtEnd { continue }
      if finished { throw line.error("expected nothing after the graph's '}'") }
      if index == 0 {
        try Graph.parseInputs(&line, &builder, &values)
      } else if line.take("}") {
        finished = true
      } else if line.take("return") {
        builder.setOutputs(try line.list { try $0.value(in: values) })
      } else {
        try Graph.parseNode(&line, types, &builder, &values)
      }
    }
    guard finished else {
      throw ParseError(line: lines.count, message: "expected '}' at the end of the graph")
    }
    self = builder.graph
  }

  private static func parseInputs(
    _ line: inout Cursor, _ builder: inout GraphBuilder, _ values: inout [Substring: Value]
  ) throws {
    try line.expect("graph(")
    while !line.take(")") {
      let label = try line.label()
      let name = try line.quoted()
      try line.expect(":")
      values[label] = builder.input(name, try line.type())
      _ = line.take(",")
    }
    try line.expect("{")
  }

  private static func parseNode(
    _ line: inout Cursor, _ types: [String: any Operation.Type], _ builder: inout GraphBuilder,
    _ values: inout [Substring: Value]
  ) throws {
    let results = try line.list { (cursor: inout Cursor) in
      let label = try cursor.label()
      try cursor.expect(":")
      return (label, try cursor.type())
    }
    try line.expect("=")
    let name = String(line.word())
    guard let type = types[name] else {
      let near = nearestName(to: name, among: Array(types.keys)).map { "; did you mean '\($0)'?" } ?? ""
      throw line.error("no operation is called '\(name)'\(near)")
    }
    try line.expect("(")
    var operands: [Value] = []
    while !line.take(")") {
      operands.append(try line.value(in: values))
      _ = line.take(",")
    }
    line.skipSpaces()
    let attributes = line.isAtEnd ? "{}" : String(line.rest)
    let made: [Value]
    do {
      made = try builder.emit(try AttributeText.decode(type, attributes), operands: operands)
    } catch { throw line.error("\(error)") }
    guard made.map(\.type) == results.map(\.1) else {
      throw line.error("\(name) gives \(made.map(\.type)), the text says \(results.map(\.1))")
    }
    for ((label, _), value) in zip(results, made) { values[label] = value }
  }
}

/// A place in one line of text.
private struct Cursor {
  var rest: Substring
  let line: Int

  init(text: Substring, line: Int) {
    rest = text
    self.line = line
  }

  var isAtEnd: Bool { rest.isEmpty }

  func error(_ message: String) -> ParseError { ParseError(line: line, message: message) }

  mutating func skipSpaces() { rest = rest.drop { $0 == " " } }

  mutating func take(_ text: String) -> Bool {
    skipSpaces()
    guard rest.hasPrefix(text) else { return false }
    rest = rest.dropFirst(text.count)
    return true
  }

  mutating func expect(_ text: String) throws {
    guard take(text) else { throw error("expected '\(text)', found '\(rest.prefix(20))'") }
  }

  mutating func word() -> Substring {
    skipSpaces()
    let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
    rest = rest.dropFirst(word.count)
    return word
  }

  mutating func label() throws -> Substring {
    try expect("%")
    let number = word()
    guard !number.isEmpty else { throw error("expected a value like %0, found '\(rest.prefix(20))'") }
    return number
  }

  mutating func value(in values: [Substring: Value]) throws -> Value {
    let label = try label()
    guard let value = values[label] else { throw error("%\(label) is used before it is defined") }
    return value
  }

  mutating func type() throws -> TensorType {
    skipSpaces()
    guard let end = rest.firstIndex(of: "]"), let type = TensorType(description: rest[...end]) else {
      throw error("expected a type like float32[2,3], found '\(rest.prefix(20))'")
    }
    rest = rest[rest.index(after: end)...]
    return type
  }

  mutating func quoted() throws -> String {
    try expect("\"")
    var name = ""
    while let next = rest.popFirst(), next != "\"" {
      if next == "\\", let escaped = rest.popFirst() { name.append(escaped) } else { name.append(next) }
    }
    return name
  }

  mutating func list<Element>(_ element: (inout Cursor) throws -> Element) throws -> [Element] {
    var elements: [Element] = []
    skipSpaces()
    if isAtEnd { return [] }
    repeat { elements.append(try element(&self)) } while take(",")
    return elements
  }
}
