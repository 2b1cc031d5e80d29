import Foundation
import Testing

/// As many threads as the user says, and no more.
@Suite struct ThreadTests {
  /// How many threads a process has that does training steps, once it has done one; and how many it says it uses.
  private func threads(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Int {
    let (folder, input, output) = (try TemporaryFolder(), Pipe(), Pipe())
    let process = Process()
    process.executableURL = Command.binary
    process.arguments = ["bench", "mlp", "--on-request"] + arguments
    process.currentDirectoryURL = folder.url
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    // The line that it writes after the first step.
    var line = Data()
    while line.last != UInt8(ascii: "\n") {
      let next = output.fileHandleForReading.availableData
      if next.isEmpty { break }
      line += next
    }
    #expect(!line.isEmpty)
    let tasks = try FileManager.default.contentsOfDirectory(
      atPath: "/proc/\(process.processIdentifier)/task")
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    return tasks.count
  }

  @Test func theEnvironmentAndTheFlagAreRespected() throws {
    let one = try threads(["--threads", "1"])
    #expect(try threads(["--threads", "3"]) == one + 2)
    #expect(try threads([], ["OMP_NUM_THREADS": "1"]) == one)
    #expect(try threads([], ["OMP_NUM_THREADS": "2"]) == one + 1)
    #expect(try threads(["--threads", "1"], ["OMP_NUM_THREADS": "3"]) == one)
  }
}
