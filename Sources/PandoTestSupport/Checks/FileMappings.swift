import Foundation

/// What of files is in this process's memory, by what the operating system says.
public enum FileMappings {
  /// Bytes in memory of the mappings of files in a folder, those without a name too.
  public static func residentBytes(in folder: URL) throws -> Int {
    let path = folder.resolvingSymlinksInPath().path
    var (bytes, isOurs) = (0, false)
    for line in try wholeText(of: "/proc/self/smaps").split(separator: "\n") {
      let words = line.split(separator: " ")
      if words[0].contains("-") {
        isOurs = words.count > 5 && words[5].hasPrefix(path)
      } else if isOurs, words[0] == "Rss:", let kibibytes = Int(words[1]) {
        bytes += kibibytes << 10
      }
    }
    return bytes
  }

  /// The system makes such files up as they are read, a piece at a time, and says that they are empty: what reads by size
  /// stops too soon.
  private static func wholeText(of path: String) throws -> String {
    let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? handle.close() }
    var data = Data()
    while let piece = try handle.read(upToCount: 1 << 16), !piece.isEmpty { data += piece }
    return String(decoding: data, as: UTF8.self)
  }

  /// A new folder on a disk, for tests whose temporary folder may lie in memory: below the folder of a source file's
  /// package.
  public static func diskFolder(of file: String = #filePath) throws -> URL {
    var root = URL(fileURLWithPath: file)
    while !FileManager.default.fileExists(atPath: root.appending(path: "Package.swift").path) {
      root.deleteLastPathComponent()
    }
    let folder = root.appending(path: ".build/offload-tests/\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }
}
