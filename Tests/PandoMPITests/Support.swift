import Foundation
import PandoMPI

/// What the machine has to run these tests with.
enum OpenMPI {
  /// Whether ranks can be started here; tests that start them are skipped where not.
  static let isInstalled: Bool = {
    guard MPIWorld.problem == nil else { return false }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return path.split(separator: ":").contains { access("\($0)/mpirun", X_OK) == 0 }
  }()
}

/// Whether two hosts can be played on this machine: for that root makes networks.
enum TwoHosts {
  static let canBePlayed: Bool = {
    guard OpenMPI.isInstalled, getuid() == 0, let folder = try? TemporaryFolder() else { return false }
    let name = "pando-try-\(getpid())"
    let script = "ip netns add \(name) && ip netns delete \(name) && command -v unshare"
    return (try? Fixture.shell(script, in: folder))?.code == 0
  }()
}

/// The program whose ranks do what a test wants.
enum Fixture {
  static var folder: URL {
    if let path = ProcessInfo.processInfo.environment["PANDO_BINARY"] {
      return URL(fileURLWithPath: path).deletingLastPathComponent()
    }
    return URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent(".build/release")
  }

  static func launcher(_ ranks: Int, _ mode: String, _ folder: TemporaryFolder) -> Launcher {
    Launcher(
      ranks: ranks, threads: 1, program: Self.folder.appendingPathComponent("RankFixture").path,
      arguments: [mode, folder.url.path], cores: 1)
  }

  /// Runs a script with the fixture's name in `$FIXTURE` and the folder's in `$FOLDER`; returns its code and all it
  /// wrote.
  static func shell(_ script: String, in folder: TemporaryFolder) throws -> (code: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", script]
    process.currentDirectoryURL = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    process.environment = ProcessInfo.processInfo.environment.merging(
      [
        "FIXTURE": Self.folder.appendingPathComponent("RankFixture").path, "FOLDER": folder.url.path,
        "PANDO": Self.folder.appendingPathComponent("pando").path, "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
      ]
    ) { $1 }
    let output = folder.url.appendingPathComponent(".output")
    FileManager.default.createFile(atPath: output.path, contents: nil)
    let handle = try FileHandle(forWritingTo: output)
    (process.standardInput, process.standardOutput, process.standardError) = (
      FileHandle.nullDevice, handle, handle
    )
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, try String(contentsOf: output, encoding: .utf8))
  }
}

/// A folder that goes away with the test.
final class TemporaryFolder: Sendable {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("pando-\(UUID().uuidString)")
  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: url.appendingPathComponent(name))
  }
}
