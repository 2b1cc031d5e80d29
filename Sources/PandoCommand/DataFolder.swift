import Foundation

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
}
