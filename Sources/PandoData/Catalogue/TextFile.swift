import Foundation

/// A text split into a beginning to train on and an end held out.
struct TextFile {
  let url: URL

  /// Cuts the split's tokens into windows. The last twentieth of the text, from the start of a line where it has
  /// lines, is for validation; the vocabulary is that of the whole text. Only training windows move from epoch to
  /// epoch. `nil` for a split that texts do not have.
  func open(_ split: DataSplit, options: OpenOptions) throws -> OpenedSplit? {
    guard split != .test else { return nil }
    let text = try readText(url)
    let vocabulary = options.vocabulary ?? TextVocabulary(unit: options.unit, of: text)
    let cut = Self.cut(text)
    let part = split == .train ? text[..<cut] : text[cut...]
    let tokens = try vocabulary.encode(String(part))
    let source = try TextWindowSource(
      tokens, context: options.context, shiftsEachEpoch: split == .train,
      place: "\(url.path), \(split.rawValue)")
    return OpenedSplit(source, vocabulary: vocabulary)
  }

  /// Where the held-out part starts.
  static func cut(_ text: String) -> String.Index {
    let bytes = text.utf8
    let goal = bytes.index(bytes.startIndex, offsetBy: bytes.count / 20 * 19 + bytes.count % 20 * 19 / 20)
    guard let lineEnd = bytes[goal...].firstIndex(of: 0x0A) else {
      guard goal > bytes.startIndex else { return goal }
      // Without lines the cut must at least not divide a character.
      return text.unicodeScalars.index(after: text.unicodeScalars.index(before: goal))
    }
    return bytes.index(after: lineEnd)
  }
}
