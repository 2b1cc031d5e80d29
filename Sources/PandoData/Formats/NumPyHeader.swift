import PandoIR

/// The header of a `.npy` file: a Python dictionary literal with `descr`, `fortran_order` and `shape`.
package struct NumPyHeader: Equatable {
  package var type: TensorType
  package var isBigEndian: Bool

  /// Reads the literal. `place` names the array in errors.
  package init(_ text: [UInt8], place: String) throws {
    var scanner = LiteralScanner(text: text, place: place)
    var (descr, fortran, shape): (String?, Bool?, [Int]?) = (nil, nil, nil)
    try scanner.expect("{")
    while !scanner.skip("}") {
      let key = try scanner.string()
      try scanner.expect(":")
      switch key {
      case "descr": descr = try scanner.typeCode()
      case "fortran_order": fortran = try scanner.boolean()
      case "shape": shape = try scanner.tuple()
      default: throw scanner.malformed("has an unknown key '\(key)'")
      }
      if !scanner.skip(",") {
        try scanner.expect("}")
        break
      }
    }
    guard let descr, let fortran, let shape else {
      throw scanner.malformed("lacks descr, fortran_order or shape")
    }
    guard !fortran || shape.count < 2 else {
      throw DataError(
        .unsupported, at: place, "is in Fortran order", mend: "save numpy.ascontiguousarray(array) instead")
    }
    let codes: [String: DType] = [
      "f4": .float32, "f8": .float64, "f2": .float16, "i4": .int32, "i8": .int64, "i1": .int8, "u1": .uint8,
      "b1": .bool,
    ]
    let order = descr.first ?? " "
    guard "<>|=".contains(order), let dtype = codes[String(descr.dropFirst())] else {
      throw DataError(
        .unsupported, at: place, "has NumPy element type '\(descr)'; known are \(codes.keys.sorted())",
        mend: "convert it with array.astype(...) before saving")
    }
    type = TensorType(shape, dtype)
    isBigEndian = order == ">" && dtype.byteCount > 1
  }
}

/// Reads the few kinds of Python literal that a header uses.
private struct LiteralScanner {
  let text: [UInt8]
  let place: String
  var position = 0

  func malformed(_ what: String) -> DataError {
    DataError(.malformed, at: place, "its NumPy header \(what)", mend: "save it again")
  }

  private mutating func skipSpace() {
    while position < text.count, text[position] == 0x20 || text[position] == 0x0A { position += 1 }
  }

  mutating func skip(_ word: StaticString) -> Bool {
    skipSpace()
    return word.withUTF8Buffer { word in
      guard text[position...].starts(with: word) else { return false }
      position += word.count
      return true
    }
  }

  mutating func expect(_ word: StaticString) throws {
    guard skip(word) else { throw malformed("lacks '\(word)' at character \(position)") }
  }

  mutating func string() throws -> String {
    skipSpace()
    guard position < text.count, text[position] == UInt8(ascii: "'") || text[position] == UInt8(ascii: "\"")
    else {
      throw malformed("lacks a string at character \(position)")
    }
    let quote = text[position]
    guard let end = text[(position + 1)...].firstIndex(of: quote) else {
      throw malformed("ends inside a string")
    }
    defer { position = end + 1 }
    return String(decoding: text[(position + 1)..<end], as: UTF8.self)
  }

  mutating func typeCode() throws -> String {
    guard !skip("[") else {
      throw DataError(
        .unsupported, at: place, "holds records with named fields", mend: "save one plain array per field")
    }
    return try string()
  }

  mutating func boolean() throws -> Bool {
    if skip("True") { return true }
    try expect("False")
    return false
  }

  mutating func tuple() throws -> [Int] {
    var sizes: [Int] = []
    try expect("(")
    while !skip(")") {
      skipSpace()
      let digits = text[position...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      guard let size = Int(String(decoding: digits, as: UTF8.self)) else {
        throw malformed("has a shape that is not a tuple of sizes")
      }
      position += digits.count
      sizes.append(size)
      if !skip(",") {
        try expect(")")
        break
      }
    }
    return sizes
  }
}
