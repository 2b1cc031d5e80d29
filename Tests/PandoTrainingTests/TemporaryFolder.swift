import Foundation

/// A folder of its own for one test, gone with the last reference to it.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "pando-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// What lies in a folder inside, hidden files too, in order.
  func names(_ folder: String = "") -> [String] {
    let place = folder.isEmpty ? url : url.appending(path: folder)
    return ((try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []).sorted()
  }
}
