import Foundation
import PandoIR

/// How a comma-separated file is to be read.
public struct CSVOptions: Sendable {
  /// Which column holds what is to be predicted.
  public enum Label: Sendable, Hashable {
    /// The rightmost.
    case last
    /// The one under this heading.
    case name(String)
    /// The one at this place, from 0.
    case column(Int)
  }

  /// What the label column holds.
  public enum LabelKind: Sendable, Hashable {
    /// Classes: whole numbers from 0, or words, which are numbered in sorted order.
    case classes
    /// Numbers to be predicted as they are.
    case numbers
  }

  /// Whether the first record holds headings; `nil`: it does if none of its fields is a number.
  public var hasHeader: Bool?
  /// Between fields: a comma, tabulator or semicolon.
  public var delimiter: Character
  /// Which column is the label.
  public var label: Label
  /// What the label is.
  public var labelKind: LabelKind
  /// How many classes there are, where it is known: labels must lie below.
  public var classCount: Int?

  /// Commas, headings if there seem to be any, and the class in the last column.
  public init(
    hasHeader: Bool? = nil, delimiter: Character = ",", label: Label = .last,
    labelKind: LabelKind = .classes, classCount: Int? = nil
  ) {
    self.hasHeader = hasHeader
    self.delimiter = delimiter
    self.label = label
    self.labelKind = labelKind
    self.classCount = classCount
  }
}

/// A table of numbers with one column set apart as the label, read from comma-separated text (plain or gzip).
public struct CSVTable: Sendable {
  /// Headings of the feature columns, where the file has headings.
  public private(set) var featureNames: [String]?
  /// `float32[rows, columns without the label]`
  public let features: HostArray
  /// `int32[rows]` classes, or `float32[rows]` numbers.
  public let labels: HostArray
  /// The classes' names in the order of their numbers, where the file names them by words.
  public let classNames: [String]?
  /// One more than the greatest class, or as given; `nil` where labels are numbers.
  public let classCount: Int?

  /// Reads a file.
  ///
  /// - Throws: `DataError` naming the line and column where a field is not a finite number, a record is longer or
  ///   shorter than the first, a label is out of range or a quote is not closed; and where there are no records.
  public init(contentsOf url: URL, options: CSVOptions = CSVOptions()) throws {
    let text = try openInput(url).readAll(limit: Int(ProcessInfo.processInfo.physicalMemory / 4))
    try self.init(text: text, options: options, place: url.path)
  }

  /// Reads text; `place` names it in errors.
  package init(text: [UInt8], options: CSVOptions, place: String) throws {
    guard let delimiter = options.delimiter.asciiValue else {
      throw DataError(
        .invalid, at: place, "cannot be split at '\(options.delimiter)'", mend: "use an ASCII one")
    }
    var scanner = CSVScanner(text, delimiter: delimiter, place: place)
    var fields: [CSVScanner.Field] = []
    guard try scanner.nextRecord(into: &fields) else {
      throw DataError(.invalid, at: place, "is empty", mend: "give a file with at least one record")
    }
    let columns = fields.count
    let hasHeader = options.hasHeader ?? fields.allSatisfy { scanner.number($0) == nil }
    let headings = hasHeader ? fields.map { scanner.text($0) } : nil
    let label = try Self.labelIndex(options.label, headings: headings, columns: columns, place: place)
    var values: [Float] = []
    var labels = LabelColumnReader(kind: options.labelKind, classCount: options.classCount)
    var hasRecord = try !hasHeader || scanner.nextRecord(into: &fields)
    var rows = 0
    while hasRecord {
      guard fields.count == columns else {
        throw DataError(
          .malformed, at: "\(place):\(scanner.line)",
          "has \(fields.count) fields, expected \(columns) as in the first")
      }
      for (column, field) in fields.enumerated() where column != label {
        guard let number = scanner.number(field) else {
          throw DataError(
            .malformed, at: "\(place):\(scanner.line)",
            "column \(headings?[column] ?? String(column + 1)) holds '\(scanner.text(field))', expected a number"
          )
        }
        values.append(Float(number))
      }
      try labels.append(fields[label], of: scanner, place: "\(place):\(scanner.line)")
      rows += 1
      hasRecord = try scanner.nextRecord(into: &fields)
    }
    guard rows > 0 else { throw DataError(.invalid, at: place, "holds headings but no records") }
    if var names = headings {
      names.remove(at: label)
      featureNames = names
    }
    features = HostArray(values, shape: [rows, columns - 1])
    (self.labels, classNames, classCount) = try labels.finish(place: place)
  }

  private static func labelIndex(
    _ column: CSVOptions.Label, headings: [String]?, columns: Int, place: String
  ) throws -> Int {
    guard columns >= 2 else {
      throw DataError(
        .malformed, at: place, "has one column, expected features and a label",
        mend: "check the delimiter")
    }
    switch column {
    case .last: return columns - 1
    case .column(let index):
      guard (0..<columns).contains(index) else {
        throw DataError(.invalid, at: place, "has \(columns) columns, so none at \(index) (counted from 0)")
      }
      return index
    case .name(let name):
      guard let headings else {
        throw DataError(
          .invalid, at: place, "has no headings, so no column '\(name)'", mend: "give its number")
      }
      if let index = headings.firstIndex(of: name) { return index }
      let near = nearestName(to: name, among: headings).map { "; did you mean '\($0)'?" } ?? ""
      throw DataError(.notFound, at: place, "has no column '\(name)'\(near)")
    }
  }
}

/// Collects the label column: numbers if every label is one, else names.
private struct LabelColumnReader {
  let kind: CSVOptions.LabelKind
  let classCount: Int?
  private var numbers: [Double] = []
  /// Filled once the first label that is not a number was met.
  private var names: [String] = []
  private var isNamed = false

  init(kind: CSVOptions.LabelKind, classCount: Int?) {
    self.kind = kind
    self.classCount = classCount
  }

  mutating func append(_ field: CSVScanner.Field, of scanner: CSVScanner, place: String) throws {
    if isNamed {
      names.append(scanner.text(field))
      return
    }
    if let number = scanner.number(field) {
      if kind == .classes {
        guard number >= 0, number < Double(classCount ?? Int(Int32.max)), number == number.rounded() else {
          let range = classCount.map { "0 to \($0 - 1)" } ?? "whole numbers from 0"
          throw DataError(
            .invalid, at: place, "label \(scanner.text(field)) is out of range, expected \(range)")
        }
      }
      numbers.append(number)
      return
    }
    guard kind == .classes, numbers.isEmpty else {
      throw DataError(
        .malformed, at: place, "label '\(scanner.text(field))' is not a number, unlike those before it")
    }
    isNamed = true
    names.append(scanner.text(field))
  }

  func finish(place: String) throws -> (labels: HostArray, names: [String]?, count: Int?) {
    if kind == .numbers { return (HostArray(numbers.map(Float.init)), nil, nil) }
    guard isNamed else {
      let greatest = Int(numbers.max() ?? 0)
      return (HostArray(numbers.map { Int32($0) }), nil, classCount ?? greatest + 1)
    }
    let sorted = Set(names).sorted()
    if let classCount, sorted.count > classCount {
      throw DataError(.invalid, at: place, "names \(sorted.count) classes, expected at most \(classCount)")
    }
    let number = Dictionary(uniqueKeysWithValues: zip(sorted, Int32(0)...))
    return (HostArray(names.map { number[$0] ?? 0 }), sorted, classCount ?? sorted.count)
  }
}
