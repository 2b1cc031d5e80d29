import Foundation

/// Splits comma-separated text (RFC 4180) into records and fields, without copying.
///
/// A field may be quoted, and then hold delimiters, line ends and doubled quotes. Lines end with LF or CRLF; blank
/// lines are skipped.
package struct CSVScanner {
  /// One field: the bytes between its delimiters, or inside its quotes.
  package struct Field {
    package let range: Range<Int>
    package let isQuoted: Bool
  }

  private static let quote = UInt8(ascii: "\""), lineFeed: UInt8 = 0x0A, carriageReturn: UInt8 = 0x0D

  /// The text, then a zero byte, so that a number at its very end can be read by C's `strtod`.
  package let bytes: [UInt8]
  private let delimiter: UInt8
  private let place: String
  private var position = 0
  private var nextLine = 1
  /// The line, from 1, on which the record read last started.
  package private(set) var line = 0

  package init(_ text: [UInt8], delimiter: UInt8, place: String) {
    bytes = text + [0]
    self.delimiter = delimiter
    self.place = place
    if text.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  /// Reads the next record's fields into `fields`; false at the end.
  package mutating func nextRecord(into fields: inout [Field]) throws -> Bool {
    fields.removeAll(keepingCapacity: true)
    let end = bytes.count - 1
    return try bytes.withUnsafeBufferPointer { text in
      while position < end, text[position] == Self.lineFeed || text[position] == Self.carriageReturn {
        if text[position] == Self.lineFeed { nextLine += 1 }
        position += 1
      }
      guard position < end else { return false }
      line = nextLine
      while true {
        fields.append(try field(in: text, end: end))
        guard position < end else { return true }
        let byte = text[position]
        position += 1
        if byte == delimiter { continue }
        if byte == Self.carriageReturn, position < end, text[position] == Self.lineFeed { position += 1 }
        nextLine += 1
        return true
      }
    }
  }

  /// Reads one field and stops at the delimiter or line end after it.
  private mutating func field(in text: UnsafeBufferPointer<UInt8>, end: Int) throws -> Field {
    guard position < end, text[position] == Self.quote else {
      let start = position
      while position < end, text[position] != delimiter, text[position] != Self.lineFeed,
        text[position] != Self.carriageReturn
      { position += 1 }
      return Field(range: start..<position, isQuoted: false)
    }
    position += 1
    let start = position
    while true {
      guard position < end else {
        throw DataError(
          .malformed, at: "\(place):\(line)", "a quoted field is never closed", mend: "add the quote")
      }
      if text[position] == Self.lineFeed { nextLine += 1 }
      if text[position] == Self.quote {
        guard position + 1 < end, text[position + 1] == Self.quote else { break }
        position += 1
      }
      position += 1
    }
    let stop = position
    position += 1
    guard
      position >= end || text[position] == delimiter || text[position] == Self.lineFeed
        || text[position] == Self.carriageReturn
    else {
      throw DataError(
        .malformed, at: "\(place):\(nextLine)", "text follows the closing quote of a field",
        mend: "double the quotes that belong to the field")
    }
    return Field(range: start..<stop, isQuoted: true)
  }

  /// A field as text, blanks around it removed unless it was quoted.
  package func text(_ field: Field) -> String {
    let text = String(decoding: bytes[field.range], as: UTF8.self)
    return field.isQuoted
      ? text.replacingOccurrences(of: "\"\"", with: "\"") : text.trimmingCharacters(in: .whitespaces)
  }

  /// A field as a finite number; `nil` where it is anything else.
  package func number(_ field: Field) -> Double? {
    var (start, end) = (field.range.lowerBound, field.range.upperBound)
    return bytes.withUnsafeBufferPointer { text in
      while start < end, text[start] == 0x20 || text[start] == 0x09 { start += 1 }
      while start < end, text[end - 1] == 0x20 || text[end - 1] == 0x09 { end -= 1 }
      guard start < end, let base = text.baseAddress else { return nil }
      // Most fields of real tables are short whole numbers, which need no general parser.
      if end - start <= 9 {
        var value = 0
        var index = start
        while index < end, text[index] &- 0x30 < 10 {
          value = value &* 10 &+ Int(text[index] &- 0x30)
          index += 1
        }
        if index == end { return Double(value) }
      }
      return (base + start).withMemoryRebound(to: CChar.self, capacity: end - start) { characters in
        var stop: UnsafeMutablePointer<CChar>?
        let value = strtod(characters, &stop)
        return stop == UnsafeMutablePointer(mutating: characters + (end - start)) && value.isFinite
          ? value : nil
      }
    }
  }
}
