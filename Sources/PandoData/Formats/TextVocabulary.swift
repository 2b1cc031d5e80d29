import Foundation

/// What one token of raw text is.
public enum TextUnit: String, Sendable, Codable, CaseIterable {
  /// A byte of the UTF-8 form: 256 tokens, whatever the text.
  case byte
  /// A Unicode scalar: as many tokens as different ones occur in the text.
  case character
}

/// Numbers text: bytes by their value, characters by their place among the text's own, sorted by code point.
///
/// As JSON it is `{"unit": "byte"}` or `{"unit": "character", "characters": "…"}`.
public struct TextVocabulary: Hashable, Sendable {
  /// What a token is.
  public let unit: TextUnit
  private let scalars: [Unicode.Scalar]
  private let numbers: [Unicode.Scalar: Int32]

  /// All 256 bytes.
  public static let bytes = TextVocabulary(unit: .byte, scalars: [])

  /// The vocabulary of `unit`s that `text` needs.
  public init(unit: TextUnit, of text: String) {
    self.init(unit: unit, scalars: unit == .byte ? [] : Set(text.unicodeScalars).sorted())
  }

  private init(unit: TextUnit, scalars: [Unicode.Scalar]) {
    self.unit = unit
    self.scalars = scalars
    numbers = Dictionary(uniqueKeysWithValues: zip(scalars, Int32(0)...))
  }

  /// How many different tokens there are.
  public var count: Int { unit == .byte ? 256 : scalars.count }

  /// The tokens of `text`, each in `0..<count`.
  ///
  /// - Throws: `DataError` naming the first character that is not in the vocabulary, and where it stands.
  public func encode(_ text: String) throws -> [Int32] {
    if unit == .byte { return text.utf8.map(Int32.init) }
    var tokens: [Int32] = []
    tokens.reserveCapacity(text.utf8.count)
    // Nearly all text is ASCII, for which a table is faster than hashing.
    let ascii = (0..<128).map { code in Unicode.Scalar(UInt8(code)) }.map { numbers[$0] ?? -1 }
    for (index, scalar) in text.unicodeScalars.enumerated() {
      let number = scalar.isASCII ? ascii[Int(scalar.value)] : numbers[scalar] ?? -1
      guard number >= 0 else {
        let code = String(scalar.value, radix: 16, uppercase: true)
        throw DataError(
          .invalid, at: "text, character \(index)",
          "'\(scalar)' (U+\(code)) is not among the \(count) characters "
            + "of the vocabulary", mend: "use characters of the training text")
      }
      tokens.append(number)
    }
    return tokens
  }

  /// The text that `tokens` stand for; bytes that are not UTF-8 become U+FFFD.
  ///
  /// - Throws: `DataError` for a token outside `0..<count`.
  public func decode(_ tokens: some Sequence<Int32>) throws -> String {
    var text = String.UnicodeScalarView()
    var bytes: [UInt8] = []
    for token in tokens {
      guard (0..<Int32(count)).contains(token) else {
        throw DataError(.invalid, at: "token \(token)", "is outside the vocabulary of \(count)")
      }
      if unit == .byte { bytes.append(UInt8(token)) } else { text.append(scalars[Int(token)]) }
    }
    return unit == .byte ? String(decoding: bytes, as: UTF8.self) : String(text)
  }
}

extension TextVocabulary: Codable {
  private enum CodingKeys: String, CodingKey { case unit, characters }

  /// Reads the JSON form; characters must be sorted and different.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let unit = try container.decode(TextUnit.self, forKey: .unit)
    guard unit == .character else {
      self = .bytes
      return
    }
    let scalars = Array(try container.decode(String.self, forKey: .characters).unicodeScalars)
    guard !scalars.isEmpty, zip(scalars, scalars.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .characters, in: container, debugDescription: "characters must be sorted and different")
    }
    self.init(unit: unit, scalars: scalars)
  }

  /// Writes the JSON form.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(unit, forKey: .unit)
    if unit == .character {
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars)
      try container.encode(String(view), forKey: .characters)
    }
  }

  /// Saves the JSON form to a file.
  public func save(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try AtomicFile.write(encoder.encode(self), to: url)
  }

  /// Loads what `save` wrote.
  ///
  /// - Throws: `DataError` where the file is missing or is not a vocabulary.
  public init(contentsOf url: URL) throws {
    let bytes = Data(try FileInput(url).readAll(limit: 64 << 20))
    do { self = try JSONDecoder().decode(TextVocabulary.self, from: bytes) } catch {
      throw DataError(.malformed, at: url.path, "is not a vocabulary", mend: "take it from the run again")
    }
  }
}

/// Reads a text file (plain or gzip), which must be UTF-8.
///
/// - Throws: `DataError` where the file is missing, empty or not UTF-8 (with the line of the first bad byte).
public func readText(_ url: URL) throws -> String {
  let bytes = try openInput(url).readAll(limit: Int(ProcessInfo.processInfo.physicalMemory / 8))
  guard !bytes.isEmpty else { throw DataError(.invalid, at: url.path, "is empty") }
  guard let text = String(validating: bytes, as: UTF8.self) else {
    var line = 1
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    decoding: while true {
      switch decoder.decode(&iterator) {
      case .scalarValue(let scalar): line += scalar == "\n" ? 1 : 0
      case .emptyInput, .error: break decoding
      }
    }
    throw DataError(.malformed, at: "\(url.path):\(line)", "is not UTF-8 text", mend: "convert it with iconv")
  }
  return text
}
