import Foundation

/// A powercap tree in a folder of its own, gone with the last reference to it.
final class FakeTree {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "pando-powercap-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// Adds a zone, or sets its counter.
  func set(_ id: String, _ name: String, microjoules: UInt64, range: UInt64 = 262_143_328_850) throws {
    let folder = url.appending(path: id)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data("\(name)\n".utf8).write(to: folder.appending(path: "name"))
    try Data("\(microjoules)\n".utf8).write(to: folder.appending(path: "energy_uj"))
    try Data("\(range)\n".utf8).write(to: folder.appending(path: "max_energy_range_uj"))
  }

  /// A file with the text of `/proc/cpuinfo`.
  func cpuinfo(_ text: String) throws -> URL {
    let file = url.appending(path: "cpuinfo")
    try Data(text.utf8).write(to: file)
    return file
  }
}
