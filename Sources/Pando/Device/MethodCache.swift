import Foundation
import PandoCPU
import PandoEngine

/// Measured methods in a file of the user's cache folder, for one kind of machine.
///
/// A file that is missing, damaged, too large or of another machine counts as empty, and one that cannot be written is
/// not: nothing but time depends on it.
public struct MethodCache: Sendable {
  private struct Contents: Codable {
    let machine: String
    var choices: MethodBook.Choices
  }

  /// More than any machine's methods take.
  private static let largestFile = 4 << 20

  /// Where methods are kept.
  public let folder: URL
  /// What the methods were measured on: processor, instruction set, threads, version of the library.
  public let machine: String

  /// The cache of a machine, in `folder`.
  public init(folder: URL, machine: String) {
    self.folder = folder
    self.machine = machine
  }

  /// The cache of this machine for programs of so many threads, in `$XDG_CACHE_HOME/pando`, or `~/.cache/pando` where that
  /// is not set.
  public static func user(threads: Int) -> MethodCache {
    let home = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    let cache =
      home.map { URL(fileURLWithPath: $0, isDirectory: true) }
      ?? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache")
    return MethodCache(
      folder: cache.appending(path: "pando/methods"),
      machine: "\(Machine.processor); \(CPUEngine.methodsDescription); \(threads) threads")
  }

  /// The file of this machine; its name is a hash (FNV-1a) of the machine's.
  var file: URL {
    let hash = machine.utf8.reduce(14_695_981_039_346_656_037 as UInt64) {
      ($0 ^ UInt64($1)) &* 1_099_511_628_211
    }
    return folder.appending(path: String(hash, radix: 16) + ".json")
  }

  /// What the file holds.
  public func load() -> MethodBook.Choices {
    guard let size = try? file.resourceValues(forKeys: [.fileSizeKey]).fileSize, size <= Self.largestFile,
      let data = try? Data(contentsOf: file),
      let contents = try? JSONDecoder().decode(Contents.self, from: data), contents.machine == machine
    else { return [:] }
    return contents.choices
  }

  /// Adds methods to the file, which is replaced as a whole.
  public func add(_ choices: MethodBook.Choices) {
    guard !choices.isEmpty else { return }
    let all = load().merging(choices) { _, new in new }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    guard let data = try? encoder.encode(Contents(machine: machine, choices: all)),
      data.count <= Self.largestFile
    else { return }
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try? data.write(to: file, options: .atomic)
  }
}
