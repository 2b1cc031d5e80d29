import Foundation
import PandoData

/// Where data sets are kept.
enum DataFolder {
  /// `$PANDO_DATA`, otherwise `~/.cache/pando/data`.
  static var url: URL {
    if let path = ProcessInfo.processInfo.environment["PANDO_DATA"], !path.isEmpty {
      return URL(fileURLWithPath: path, isDirectory: true)
    }
    return FileManager.default.homeDirectoryForCurrentUser.appendingPathComponent(
      ".cache/pando/data", isDirectory: true)
  }

  /// Fetches a recipe's data where they are a catalogued data set that is not here yet.
  static func fetch(_ source: String) throws {
    guard !LocalData.isPath(source) else { return }
    let dataset = try DatasetCatalogue.entry(named: source)
    guard !dataset.isInstalled(in: url) else { return }
    Terminal.note("getting the data set \(source)")
    try dataset.install(in: url) { Terminal.note($0) }
  }
}
