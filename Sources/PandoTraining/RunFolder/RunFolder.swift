import Foundation
import PandoData

/// The folder that a run writes: `recipe.yaml plan.json ledger.json metrics.jsonl events.out.tfevents.*
/// checkpoints/step-N/ summary.json report.html`.
public struct RunFolder: Hashable, Sendable {
  /// The folder itself.
  public let url: URL

  /// The folder at `url`; nothing is read or written yet.
  public init(_ url: URL) { self.url = url }

  /// The recipe, every default filled in.
  public var recipe: URL { url.appending(path: "recipe.yaml") }
  /// The memory plan.
  public var plan: URL { url.appending(path: "plan.json") }
  /// How far the run has got over all its starts.
  public var ledger: URL { url.appending(path: "ledger.json") }
  /// One line of figures for each record.
  public var metrics: URL { url.appending(path: "metrics.jsonl") }
  /// The figures of the finished run.
  public var summary: URL { url.appending(path: "summary.json") }
  /// The page for people.
  public var report: URL { url.appending(path: "report.html") }
  /// The timeline of a few steps, where the run was profiled.
  public var trace: URL { url.appending(path: "trace.json") }
  /// The saved states.
  public var checkpoints: CheckpointStore { CheckpointStore(url.appending(path: "checkpoints")) }

  /// Makes the folder ready for a run: creates it where it is missing, proves that it can be written, and
  /// removes what a killed run left half done.
  ///
  /// - Parameter resuming: keeps what an earlier run wrote. Otherwise the earlier run's own files go, its
  ///   checkpoints too, and nothing else.
  /// - Throws: `DataError` where a file is in the way or the folder cannot be written.
  public func prepare(resuming: Bool) throws {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), !isFolder.boolValue {
      throw DataError(
        .invalid, at: url.path, "expected a folder for the run, got a file",
        mend: "choose another one with --out")
    }
    do {
      try create(url)
      try create(checkpoints.folder)
      // Permission bits do not tell all (read-only mounts, full disks), so a file is written for a proof.
      let probe = url.appending(path: ".probe")
      try AtomicFile.write(Data("pando".utf8), to: probe)
      try FileManager.default.removeItem(at: probe)
    } catch let error as DataError {
      throw DataError(
        .system, at: url.path, "the run's folder cannot be used: \(error.message)",
        mend: (error.mend.map { "\($0), or " } ?? "") + "choose another folder with --out")
    }
    if !resuming { try clear() }
    try checkpoints.removeLeftovers()
  }

  /// Creates a folder and those above it; system calls, because their errors say what is wrong.
  private func create(_ folder: URL) throws {
    if mkdir(folder.path, 0o755) == 0 || errno == EEXIST { return }
    let above = folder.deletingLastPathComponent()
    guard errno == ENOENT, above.path != folder.path, !FileManager.default.fileExists(atPath: above.path)
    else {
      throw DataError.system("create the folder", at: folder.path)
    }
    try create(above)
    guard mkdir(folder.path, 0o755) == 0 || errno == EEXIST else {
      throw DataError.system("create the folder", at: folder.path)
    }
  }

  private func clear() throws {
    try checkpoints.removeAll()
    let names = try FileManager.default.contentsOfDirectory(atPath: url.path)
    let own = [recipe, plan, ledger, metrics, summary, report, trace].map(\.lastPathComponent)
    for name in names where own.contains(name) || name.hasPrefix(EventFile.prefix) {
      try FileManager.default.removeItem(at: url.appending(path: name))
    }
  }

  /// Writes `recipe.yaml`.
  public func write(_ recipe: Recipe) throws { try AtomicFile.write(Data(recipe.yaml.utf8), to: self.recipe) }

  /// Writes `plan.json`: the plan's properties in snake case, sizes in bytes.
  public func writePlan(_ plan: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write(try encoder.encode(plan) + Data("\n".utf8), to: self.plan)
  }

  /// Writes `summary.json`.
  public func write(_ summary: RunSummary) throws {
    try AtomicFile.write(Data((summary.plainValue.prettyJSON() + "\n").utf8), to: self.summary)
  }

  /// Writes `report.html`.
  public func write(_ report: ReportData) throws {
    try AtomicFile.write(Data(report.html().utf8), to: self.report)
  }
}
