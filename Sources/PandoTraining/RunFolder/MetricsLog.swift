import Foundation
import PandoData

/// Appends to `metrics.jsonl`; each record is in the file as soon as `append` returns.
public final class MetricsLog {
  private let descriptor: Int32
  private let path: String

  /// Opens the log.
  ///
  /// - Parameter lastStep: the step from which a run goes on: records beyond it, and a last line torn by a
  ///   kill, are cut off. `nil` starts an empty log.
  /// - Throws: `DataError` where the file cannot be written.
  public init(_ url: URL, resumingAfter lastStep: Int?) throws {
    path = url.path
    var length = 0
    if let lastStep, FileManager.default.fileExists(atPath: path) {
      length = Self.length(of: try Data(contentsOf: url), through: lastStep)
    }
    let opened = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard opened >= 0 else { throw DataError.system("write the file", at: path) }
    descriptor = opened
    guard ftruncate(descriptor, length) == 0 else { throw DataError.system("shorten the file", at: path) }
  }

  deinit { close(descriptor) }

  /// Adds one record.
  ///
  /// - Throws: `DataError`, such as for a full disk.
  public func append(_ row: MetricsRow) throws {
    let line = Array((row.json + "\n").utf8)
    try line.withUnsafeBytes { try FileSink(descriptor: descriptor, place: path).write($0) }
  }

  /// All records of a log; a last line without its end, torn by a kill, is left out.
  ///
  /// - Throws: `DataError` where the file cannot be read, or a line is no record (its number is named).
  public static func read(_ url: URL) throws -> [MetricsRow] {
    let bytes: Data
    do {
      bytes = try Data(contentsOf: url)
    } catch {
      throw DataError(.notFound, at: url.path, "cannot be read", mend: "give the folder of a run")
    }
    var rows: [MetricsRow] = []
    var number = 0
    for line in bytes.prefix(wholeLength(of: bytes)).split(
      separator: newline, omittingEmptySubsequences: true)
    {
      number += 1
      guard let row = MetricsRow(json: line) else {
        throw DataError(.malformed, at: "\(url.path):\(number)", "is no record of a run's figures")
      }
      rows.append(row)
    }
    return rows
  }

  private static let newline = UInt8(ascii: "\n")

  /// Bytes up to the end of the last line that has one.
  private static func wholeLength(of bytes: Data) -> Int {
    bytes.lastIndex(of: newline).map { bytes.distance(from: bytes.startIndex, to: $0) + 1 } ?? 0
  }

  /// Bytes of the leading records that are whole and not beyond `step`.
  private static func length(of bytes: Data, through step: Int) -> Int {
    var length = 0
    while length < bytes.count, let end = bytes[(bytes.startIndex + length)...].firstIndex(of: newline) {
      guard let row = MetricsRow(json: bytes[(bytes.startIndex + length)..<end]), row.step <= step else {
        break
      }
      length = end - bytes.startIndex + 1
    }
    return length
  }
}
