import Foundation
import PandoIR

/// Data that a recipe names by path instead of by a catalogue name.
///
/// - `.csv`, `.tsv` (also `.gz`): records of numbers with a label; every fifth is held out for testing.
/// - `.npz`: arrays `images` or `features` (or `x`), and `labels` (or `y`), every fifth row held out for testing;
///   or the same with `_train` and `_test` after each name.
/// - `.txt`, `.text`, `.md` (also `.gz`): text; its last twentieth is held out for validation.
/// - a folder laid out as MNIST is.
public struct LocalData: Sendable {
  private enum Form { case table(Character), arrays, text, folder }

  /// The file or folder.
  public let url: URL
  private let form: Form

  /// Whether a recipe's `source` is a path rather than a catalogue name: it holds a slash or a full stop.
  public static func isPath(_ source: String) -> Bool { source.contains("/") || source.contains(".") }

  /// Looks at what is there, without reading it.
  ///
  /// - Throws: `DataError` where there is nothing, or nothing that can be read.
  public init(path: String) throws {
    url = URL(fileURLWithPath: path)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw DataError(.notFound, at: path, "does not exist", mend: "check data.source")
    }
    let name = url.pathExtension.lowercased() == "gz" ? url.deletingPathExtension() : url
    switch (isFolder.boolValue, name.pathExtension.lowercased()) {
    case (true, _): form = .folder
    case (_, "csv"): form = .table(",")
    case (_, "tsv"): form = .table("\t")
    case (_, "npz"): form = .arrays
    case (_, "txt"), (_, "text"), (_, "md"): form = .text
    default:
      throw DataError(
        .unsupported, at: path, "is of no known kind",
        mend: "use .csv, .tsv, .npz, .txt or a folder with IDX files")
    }
  }

  /// The splits there are; the second is the held-out one.
  public var splits: [DataSplit] {
    if case .text = form { return [.train, .validation] }
    return [.train, .test]
  }

  /// Reads a split. Statistics are those of the training split.
  ///
  /// - Throws: `DataError` where the data are damaged or do not hold what is expected.
  public func open(_ split: DataSplit, options: OpenOptions = OpenOptions()) throws -> OpenedSplit {
    let missing = DataError(
      .notFound, at: url.path, "has no split '\(split.rawValue)', only \(splits.map(\.rawValue))")
    guard splits.contains(split) else { throw missing }
    switch form {
    case .text:
      guard let opened = try TextFile(url: url).open(split, options: options) else { throw missing }
      return opened
    case .table(let delimiter):
      var table = options.table
      table.delimiter = table.delimiter == "," ? delimiter : table.delimiter
      table.classCount = table.classCount ?? options.classCount
      let read = try CSVTable(contentsOf: url, options: table)
      let parts = try read.source().everyFifthHeldOut()
      return try opened(
        training: parts.training, held: parts.test, split, classCount: read.classCount, names: read.classNames
      )
    case .arrays: return try openArrays(split, options: options)
    case .folder:
      let folder = IDXFolder(url: url)
      let training = try folder.open(.train, classCount: options.classCount)
      let classes = try options.classCount ?? training.map { try Self.classCount(of: $0) }
      guard let training, let held = split == .train ? training : try folder.open(split, classCount: classes)
      else {
        throw missing
      }
      return try opened(training: training, held: held, split, classCount: classes, names: nil)
    }
  }

  private func openArrays(_ split: DataSplit, options: OpenOptions) throws -> OpenedSplit {
    let arrays = try NumPyFile.readArchive(url)
    let isDivided = arrays.keys.contains { $0.hasSuffix("_train") }
    let whole = try samples(arrays, suffix: isDivided ? "_train" : "", classCount: options.classCount)
    if !isDivided {
      let parts = whole.everyFifthHeldOut()
      let classes = try options.classCount ?? Self.classCount(of: whole)
      return try opened(training: parts.training, held: parts.test, split, classCount: classes, names: nil)
    }
    let classes = try options.classCount ?? Self.classCount(of: whole)
    let held = split == .train ? whole : try samples(arrays, suffix: "_test", classCount: classes)
    return try opened(training: whole, held: held, split, classCount: classes, names: nil)
  }

  private func samples(
    _ arrays: [String: HostArray], suffix: String, classCount: Int?
  ) throws -> ArraySource {
    func find(_ names: [String]) throws -> HostArray {
      if let name = names.first(where: { arrays[$0 + suffix] != nil }), let array = arrays[name + suffix] {
        return array
      }
      throw DataError(
        .notFound, at: url.path, "holds none of \(names.map { $0 + suffix }), only \(arrays.keys.sorted())",
        mend: "save the arrays under one of these names")
    }
    let input = try find(["images", "features", "x", "X"])
    let labels = try find(["labels", "label", "y", "Y"])
    if input.type.dtype == .uint8, input.type.rank >= 3 {
      let count = try classCount ?? IDXFolder.classCount(of: labels, place: url.path)
      return try ArraySource.images(input, labels: labels, classCount: count, place: url.path)
    }
    let features: HostArray
    if input.type.dtype == .float32 {
      features = input
    } else {
      features = HostArray(try input.doubles(place: url.path).map(Float.init), shape: input.type.shape)
    }
    let isImage = features.type.rank >= 3
    let classes = try ArraySource.classLabels(labels, classCount: classCount, place: url.path)
    return try ArraySource([(isImage ? "image" : "features", features), ("label", classes)], place: url.path)
  }

  private func opened(
    training: some SampleSource, held: some SampleSource, _ split: DataSplit, classCount: Int?,
    names: [String]?
  ) throws -> OpenedSplit {
    guard training.count > 0, held.count > 0 else {
      throw DataError(
        .invalid, at: url.path,
        "holds too few samples: \(training.count) to train on and \(held.count) held out")
    }
    let input = training.fields[0]
    let scale: Float = input.type.dtype == .uint8 ? 1 / 255 : 1
    let statistics = try FieldStatistics.measure(input.name, of: training, scale: scale)
    return OpenedSplit(
      split == .train ? training : held, input: input.name, classCount: classCount, classNames: names,
      statistics: statistics)
  }

  /// One more than the greatest label of a source.
  private static func classCount(of source: ArraySource) throws -> Int {
    var greatest: Int32 = 0
    try withUnsafeTemporaryAllocation(byteCount: source.fields[0].type.byteCount, alignment: 64) { spare in
      for index in 0..<source.count {
        var label: Int32 = 0
        try withUnsafeMutableBytes(of: &label) { try source.copySample(index, into: [spare, $0]) }
        greatest = max(greatest, label)
      }
    }
    return Int(greatest) + 1
  }
}
