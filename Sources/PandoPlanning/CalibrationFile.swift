import Foundation
import Pando
import PandoData

/// Where a machine's ceilings are kept between runs: a JSON file with an entry for each number of threads.
public struct CalibrationFile {
  private struct Contents: Codable {
    var version: Int
    /// The processor's name: ceilings measured on another do not count.
    var processor: String
    /// By number of threads; of ranks that worked at once, `1x2`: threads of each, and how many.
    var ceilings: [String: Ceilings]
    /// Exchanges between two ranks; absent where they were not measured.
    var link: LinkTimes?
  }

  private struct Header: Codable {
    var version: Int
  }

  /// Files of other versions count as not there.
  private static let version = 2

  /// The file.
  public let url: URL

  /// The file at `url`; by default `$PANDO_CALIBRATION`, otherwise `~/.cache/pando/ceilings.json`.
  public init(_ url: URL? = nil) {
    let path = ProcessInfo.processInfo.environment["PANDO_CALIBRATION"].flatMap { $0.isEmpty ? nil : $0 }
    self.url =
      url ?? path.map { URL(fileURLWithPath: $0) }
      ?? FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(".cache/pando/ceilings.json")
  }

  /// What was measured on this machine with so many threads; `nil` where nothing was.
  ///
  /// - Throws: `DataError` where the file is there and cannot be read as what it should be.
  public func ceilings(threads: Int) throws -> Ceilings? { try contents()?.ceilings["\(threads)"] }

  /// What was measured of one rank with so many threads while as many others worked, two at the most; `nil` where nothing
  /// was.
  ///
  /// - Throws: as `ceilings(threads:)`.
  public func ceilings(threads: Int, busyRanks: Int) throws -> Ceilings? {
    let contents = try contents()
    return (busyRanks > 1 ? contents?.ceilings["\(threads)x2"] : nil) ?? contents?.ceilings["\(threads)"]
  }

  /// What was measured of exchanges between two ranks of this machine; `nil` where nothing was.
  ///
  /// - Throws: as `ceilings(threads:)`.
  public func link() throws -> LinkTimes? { try contents()?.link }

  /// Keeps what was measured, beside what the file holds of other numbers of threads.
  public func save(_ ceilings: Ceilings, threads: Int) throws {
    try change { $0.ceilings["\(threads)"] = ceilings }
  }

  /// Keeps what was measured of one of two ranks that worked at once, and of their exchanges.
  public func save(_ ceilings: Ceilings, ofTwoRanksWith threads: Int, link: LinkTimes) throws {
    try change {
      $0.ceilings["\(threads)x2"] = ceilings
      $0.link = link
    }
  }

  private func change(_ body: (inout Contents) -> Void) throws {
    var contents =
      (try? contents()) ?? Contents(version: Self.version, processor: Self.processor, ceilings: [:])
    body(&contents)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try AtomicFile.write(try encoder.encode(contents), to: url)
  }

  private func contents() throws -> Contents? {
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    let attributes = try FileManager.default.attributesOfItem(atPath: url.path)
    let size = (attributes[.size] as? Int) ?? 0
    let problem = DataError(
      .malformed, at: url.path, "is not a calibration; measure anew with 'pando plan --calibrate'")
    guard size < 1 << 24, let data = try? Data(contentsOf: url),
      let header = try? JSONDecoder().decode(Header.self, from: data)
    else { throw problem }
    // What another version wrote need not be readable.
    guard header.version == Self.version else { return nil }
    guard let contents = try? JSONDecoder().decode(Contents.self, from: data) else { throw problem }
    return contents.processor == Self.processor ? contents : nil
  }

  private static var processor: String {
    let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    for line in text.split(separator: "\n") where line.hasPrefix("model name") || line.hasPrefix("CPU part") {
      return line.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? ""
    }
    return "unknown"
  }
}
