import Foundation
import Pando
import Testing

/// Measured methods come back on the same machine, and a bad file is no file.
@Suite struct MethodCacheTests {
  private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "pando-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  private func files(_ folder: URL) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
  }

  @Test func methodsComeBackOnTheSameMachine() throws {
    try withFolder { folder in
      let cache = MethodCache(folder: folder.appending(path: "deep/er"), machine: "this")
      #expect(cache.load() == [:])
      cache.add(["a": "direct", "b": "winograd"])
      cache.add(["b": "direct"])
      cache.add([:])
      #expect(cache.load() == ["a": "direct", "b": "direct"])
      #expect(MethodCache(folder: cache.folder, machine: "that").load() == [:])
      let written = try files(cache.folder)
      #expect(written.count == 1)
    }
  }

  @Test func damagedAndLargeFilesCountAsEmpty() throws {
    try withFolder { folder in
      let cache = MethodCache(folder: folder, machine: "this")
      cache.add(["a": "direct"])
      let file = try #require(try files(folder).first)
      let whole = try Data(contentsOf: file)
      try whole.dropLast(3).write(to: file)
      #expect(cache.load() == [:])
      try (whole + Data(repeating: 0x20, count: 5 << 20)).write(to: file)
      #expect(cache.load() == [:])
      // What is measured then replaces it.
      cache.add(["b": "direct"])
      #expect(cache.load() == ["b": "direct"])
      try Data(#"{"machine": "another", "choices": {"a": "direct"}}"#.utf8).write(to: file)
      #expect(cache.load() == [:])
    }
  }

  @Test func aFolderThatCannotBeWrittenDoesNoHarm() throws {
    try withFolder { folder in
      try Data().write(to: folder)
      let cache = MethodCache(folder: folder.appending(path: "below-a-file"), machine: "this")
      cache.add(["a": "direct"])
      #expect(cache.load() == [:])
    }
  }
}
