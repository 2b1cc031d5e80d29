import Foundation
import PandoIR

/// How a data set is to be opened. Each kind of data uses what concerns it.
public struct OpenOptions: Sendable {
  /// Text: what a token is.
  public var unit: TextUnit
  /// Text: how many tokens a sample has.
  public var context: Int
  /// Text: the vocabulary, where an earlier run fixed it; `nil` takes the text's own.
  public var vocabulary: TextVocabulary?
  /// Classes: how many there are, where it is known; labels must lie below.
  public var classCount: Int?
  /// Tables: how to read them.
  public var table: CSVOptions

  /// Characters in windows of 256, and tables with the class in their last column.
  public init(
    unit: TextUnit = .character, context: Int = 256, vocabulary: TextVocabulary? = nil,
    classCount: Int? = nil,
    table: CSVOptions = CSVOptions()
  ) {
    self.unit = unit
    self.context = context
    self.vocabulary = vocabulary
    self.classCount = classCount
    self.table = table
  }
}

/// One split, ready to be read.
public struct OpenedSplit: Sendable {
  /// The samples.
  public var source: any SampleSource
  /// The field that a network is given: `image`, `features` or `tokens`.
  public let inputField: String
  /// The field that it must predict: `label` or `targets`.
  public let targetField: String
  /// How many classes labels have, or how many tokens there are; `nil` where targets are numbers.
  public let classCount: Int?
  /// The classes' names, by number.
  public let classNames: [String]?
  /// Numbers text, where the data are text.
  public let vocabulary: TextVocabulary?
  /// The input's mean and deviation over the training split; `nil` for text.
  public let statistics: FieldStatistics?

  /// A split of classified samples.
  package init(
    _ source: any SampleSource, input: String, classCount: Int?, classNames: [String]?,
    statistics: FieldStatistics
  ) {
    self.source = source
    inputField = input
    targetField = "label"
    self.classCount = classCount
    self.classNames = classNames
    vocabulary = nil
    self.statistics = statistics
  }

  /// A split of text.
  package init(_ source: any SampleSource, vocabulary: TextVocabulary) {
    self.source = source
    inputField = "tokens"
    targetField = "targets"
    classCount = vocabulary.count
    classNames = nil
    self.vocabulary = vocabulary
    statistics = nil
  }
}

/// A data set that Pando knows by name, pinned by checksums. One type in one file, and one line in the catalogue.
public protocol CataloguedDataset: Sendable {
  /// What there is to know about it.
  var card: DatasetCard { get }

  /// Brings it onto this machine, checks it, and puts it in place all at once. Nothing happens if it is there.
  ///
  /// - Parameters:
  ///   - folder: the data folder, created if need be.
  ///   - progress: is called with a line of text now and then.
  /// - Throws: `DataError` with the exact command to give where it cannot be done from here.
  func install(in folder: URL, progress: (String) -> Void) throws

  /// Opens a split that is installed.
  ///
  /// - Throws: `DataError` where it is not installed, has no such split, or its files are damaged.
  func open(_ split: DataSplit, in folder: URL, options: OpenOptions) throws -> OpenedSplit
}

extension CataloguedDataset {
  /// Where its files are; `nil` where they are not all there, in their full size.
  public func location(in folder: URL) -> URL? {
    var places = [folder.appendingPathComponent(card.name)]
    if let system = card.systemFolder { places.append(URL(fileURLWithPath: system)) }
    return places.first { place in
      card.files.allSatisfy { file in
        var status = stat()
        let path = place.appendingPathComponent(file.name).path
        return stat(path, &status) == 0 && Int(status.st_size) == file.bytes
      }
    }
  }

  /// Whether its files are all there, in their full size.
  public func isInstalled(in folder: URL) -> Bool { location(in: folder) != nil }

  /// Reads all its files and compares their checksums.
  ///
  /// - Throws: `DataError` where it is not installed or a file is not what it should be.
  public func verify(in folder: URL) throws {
    let place = try installedLocation(in: folder)
    for file in card.files { try verify(place.appendingPathComponent(file.name), is: file) }
  }

  /// Where its files are, or an error that says how to get them.
  package func installedLocation(in folder: URL) throws -> URL {
    if let place = location(in: folder) { return place }
    throw DataError(
      .notInstalled, at: "data set \(card.name)", "is not installed in \(folder.path)",
      mend: "run: pando data get \(card.name)")
  }

  package func verify(_ url: URL, is file: DatasetCard.File) throws {
    let mapped = try MappedFile(url)
    try mapped.withBytes { try verify($0, is: file, place: mapped.place) }
  }

  package func verify(_ bytes: UnsafeRawBufferPointer, is file: DatasetCard.File, place: String) throws {
    let digest = SHA256.hexDigest(of: bytes)
    guard digest == file.sha256 else {
      throw DataError(
        .malformed, at: place,
        "has SHA-256 \(digest), expected \(file.sha256): it is damaged or another version",
        mend: "remove it and run: pando data get \(card.name)")
    }
  }

  package func missing(_ split: DataSplit) -> DataError {
    let names = card.parts.map(\.split.rawValue).joined(separator: ", ")
    return DataError(
      .notFound, at: "data set \(card.name)", "has no split '\(split.rawValue)', only \(names)")
  }
}
