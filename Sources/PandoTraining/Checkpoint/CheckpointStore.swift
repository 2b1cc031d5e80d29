import Foundation
import PandoData

/// The folder `checkpoints/` of a run. A checkpoint `step-N/` is there whole or not at all.
///
/// It is written beside its place, by one process or by several, every file flushed to disk, then renamed. A reader trusts none whose
/// manifest, sizes and digests do not agree, so one torn by a kill or a failing disk never hides the good one
/// before it.
public struct CheckpointStore: Hashable, Sendable {
  /// The folder itself.
  public let folder: URL

  /// The name of the manifest in each checkpoint.
  public static let manifestName = "checkpoint.json"
  private static let partialSuffix = ".partial"
  private static let replacedSuffix = ".replaced"

  /// The checkpoints in `folder`.
  public init(_ folder: URL) { self.folder = folder }

  /// One file of a checkpoint: its name, and who writes it to the place given.
  public typealias FileWriter = (name: String, write: (URL) throws -> Void)

  /// A checkpoint found whole.
  public struct Found: Hashable, Sendable {
    /// Its folder.
    public let url: URL
    /// What it holds.
    public let manifest: CheckpointManifest

    package init(url: URL, manifest: CheckpointManifest) { (self.url, self.manifest) = (url, manifest) }
  }

  // MARK: Writing

  /// Saves a checkpoint, then removes those that need not stay: all but the latest `keep` and the best.
  ///
  /// - Parameters:
  ///   - manifest: what is saved; its list of files is filled in here.
  ///   - files: who writes each file.
  ///   - keep: how many of the latest stay.
  /// - Returns: the checkpoint's folder.
  /// - Throws: `CheckpointError` where anything could not be written (a full disk); those before it are
  ///   untouched and nothing half done stays.
  @discardableResult
  public func save(_ manifest: CheckpointManifest, files: [FileWriter], keep: Int) throws(CheckpointError)
    -> URL
  {
    var manifest = manifest
    try? FileManager.default.removeItem(at: partial(manifest.step))
    do { manifest.files = try writePart(ofStep: manifest.step, files: files) } catch {
      discardPart(ofStep: manifest.step)
      throw Self.failure(at: url(ofStep: manifest.step), error)
    }
    return try commit(manifest, keep: keep)
  }

  /// Writes some of a checkpoint's files, of which others may write others, beside its place.
  ///
  /// - Returns: what was written, for the manifest.
  package func writePart(ofStep step: Int, files: [FileWriter]) throws -> [CheckpointManifest.File] {
    guard !files.isEmpty else { return [] }
    let partial = partial(step)
    try FileManager.default.createDirectory(at: partial, withIntermediateDirectories: true)
    return try files.map { file in
      let url = partial.appending(path: file.name)
      try file.write(url)
      return try FileDigest.flushed(url)
    }
  }

  /// Removes what was written of a checkpoint that will not be.
  package func discardPart(ofStep step: Int) { try? FileManager.default.removeItem(at: partial(step)) }

  /// Puts a checkpoint in place whose files have all been written, then removes those that need not stay.
  ///
  /// - Returns: the checkpoint's folder.
  /// - Throws: `CheckpointError` where that could not be done; those before it are untouched.
  @discardableResult
  package func commit(_ manifest: CheckpointManifest, keep: Int) throws(CheckpointError) -> URL {
    let (place, partial) = (url(ofStep: manifest.step), partial(manifest.step))
    do {
      try FileManager.default.createDirectory(at: partial, withIntermediateDirectories: true)
      for file in manifest.files where FileDigest.size(partial.appending(path: file.name)) != file.bytes {
        throw DataError(
          .malformed, at: file.name, "is not there as a rank has written it",
          mend: "all ranks must share the run's folder, or none of another host")
      }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try AtomicFile.write(try encoder.encode(manifest), to: partial.appending(path: Self.manifestName))
      try putInPlace(partial, place)
    } catch {
      discardPart(ofStep: manifest.step)
      throw Self.failure(at: place, error)
    }
    prune(keep: keep, after: manifest)
    return place
  }

  private func partial(_ step: Int) -> URL { hidden(url(ofStep: step), Self.partialSuffix) }

  private static func failure(at place: URL, _ error: any Error) -> CheckpointError {
    CheckpointError(place, "could not be saved; the checkpoints before it are intact: \(error)")
  }

  private func putInPlace(_ partial: URL, _ place: URL) throws {
    let replaced = hidden(place, Self.replacedSuffix)
    let isThere = FileManager.default.fileExists(atPath: place.path)
    if isThere {
      // A folder cannot be renamed onto another. A kill between the two renames is mended by
      // `removeLeftovers`.
      try? FileManager.default.removeItem(at: replaced)
      try rename(place, to: replaced)
    }
    do {
      try rename(partial, to: place)
    } catch {
      if isThere { try? rename(replaced, to: place) }
      throw error
    }
    AtomicFile.syncFolder(folder)
    if isThere { try? FileManager.default.removeItem(at: replaced) }
  }

  /// Removes what need not stay once `latest` is in place. Failing to remove is no reason to stop a run.
  private func prune(keep: Int, after latest: CheckpointManifest) {
    // A later step is of a run that was given up; a broken checkpoint is not counted among those that stay.
    let usable = steps.filter { $0 <= latest.step && (try? quickCheck($0)) != nil }
    var staying = Set(usable.suffix(max(1, keep)))
    staying.insert(latest.step)
    if let best = latest.best?.step { staying.insert(best) }
    for step in steps where !staying.contains(step) { discard(step) }
  }

  /// Removes a checkpoint so that a kill half-way leaves a hidden folder, not a broken checkpoint.
  private func discard(_ step: Int) {
    let trash = hidden(url(ofStep: step), Self.partialSuffix)
    try? FileManager.default.removeItem(at: trash)
    guard (try? rename(url(ofStep: step), to: trash)) != nil else { return }
    try? FileManager.default.removeItem(at: trash)
  }

  // MARK: Reading

  /// The steps of which there is a folder, ascending; whether each is whole is not looked at.
  public var steps: [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)), step >= 0, name == "step-\(step)"
      else {
        return nil
      }
      return step
    }.sorted()
  }

  /// The folder of the checkpoint at `step`.
  public func url(ofStep step: Int) -> URL { folder.appending(path: "step-\(step)") }

  /// The latest checkpoint that is whole.
  ///
  /// - Parameter reject: told of each later one that is not, and why.
  public func latest(reject: (CheckpointError) -> Void = { _ in }) -> Found? {
    latestWhole(before: .max, reject: reject)
  }

  /// The latest checkpoint that is whole and of an earlier step.
  public func latestWhole(
    before limit: Int, reject: (CheckpointError) -> Void = { _ in }
  ) -> Found? {
    for step in steps.reversed() where step < limit {
      do {
        return try validated(step)
      } catch {
        reject(error)
      }
    }
    return nil
  }

  /// The checkpoint of the best evaluation, if it is there and whole.
  public func best() -> Found? {
    guard let step = latest()?.manifest.best?.step else { return nil }
    return try? validated(step)
  }

  /// The checkpoint at `step`, its sizes and digests checked.
  public func validated(_ step: Int) throws(CheckpointError) -> Found {
    let manifest = try quickCheck(step)
    let place = url(ofStep: step)
    for file in manifest.files {
      let digest: String
      do {
        digest = try FileDigest.sha256(place.appending(path: file.name))
      } catch {
        throw CheckpointError(place, "\(file.name) cannot be read: \(error)")
      }
      guard digest == file.sha256 else {
        throw CheckpointError(
          place, "\(file.name) is damaged: its digest is not the one in \(Self.manifestName)")
      }
    }
    return Found(url: place, manifest: manifest)
  }

  /// Checks all that can be told without reading the files.
  private func quickCheck(_ step: Int) throws(CheckpointError) -> CheckpointManifest {
    let place = url(ofStep: step)
    let manifest: CheckpointManifest
    do {
      let bytes = try Data(contentsOf: place.appending(path: Self.manifestName))
      manifest = try JSONDecoder().decode(CheckpointManifest.self, from: bytes)
    } catch {
      throw CheckpointError(place, "\(Self.manifestName) is missing or torn")
    }
    guard (1...CheckpointManifest.format).contains(manifest.format) else {
      throw CheckpointError(
        place,
        "is in format \(manifest.format), expected 1 to \(CheckpointManifest.format); use the Pando that wrote it"
      )
    }
    guard manifest.step == step else {
      throw CheckpointError(place, "its manifest says step \(manifest.step)")
    }
    for file in manifest.files {
      guard !file.name.contains("/"), file.name != "..", !file.name.isEmpty else {
        throw CheckpointError(place, "its manifest names '\(file.name)', which is no plain file name")
      }
      guard let size = FileDigest.size(place.appending(path: file.name)) else {
        throw CheckpointError(place, "\(file.name) is missing")
      }
      guard size == file.bytes else {
        throw CheckpointError(place, "\(file.name) has \(size) bytes, expected \(file.bytes)")
      }
    }
    return manifest
  }

  // MARK: Cleaning

  /// Removes what a killed run left half done, and puts back a checkpoint whose replacement did not arrive.
  public func removeLeftovers() throws {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names where name.hasPrefix(".step-") {
      let leftover = folder.appending(path: name)
      if name.hasSuffix(Self.replacedSuffix) {
        let place = folder.appending(path: String(name.dropFirst().dropLast(Self.replacedSuffix.count)))
        if !FileManager.default.fileExists(atPath: place.path) {
          try rename(leftover, to: place)
          continue
        }
      }
      try FileManager.default.removeItem(at: leftover)
    }
  }

  /// Removes every checkpoint, and nothing else.
  func removeAll() throws {
    for step in steps { try FileManager.default.removeItem(at: url(ofStep: step)) }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names where name.hasPrefix(".step-") {
      try FileManager.default.removeItem(at: folder.appending(path: name))
    }
  }

  private func hidden(_ place: URL, _ suffix: String) -> URL {
    folder.appending(path: ".\(place.lastPathComponent)\(suffix)")
  }

  private func rename(_ source: URL, to target: URL) throws {
    guard Foundation.rename(source.path, target.path) == 0 else {
      throw DataError.system("put the folder in place", at: target.path)
    }
  }
}
