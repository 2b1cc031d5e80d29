import Foundation

/// What a program left behind.
struct CommandResult {
  let status: Int32
  let output: Data
  let errors: String

  /// The last lines that say what went wrong, for a message.
  var complaint: String {
    let text = errors.isEmpty ? String(decoding: output, as: UTF8.self) : errors
    return text.split(separator: "\n").suffix(3).joined(separator: " / ")
  }
}

/// Runs a program found on the path, without a shell and with nothing to read, and waits for its end. The status
/// is 127 where there is no such program.
func runCommand(
  _ program: String, _ arguments: [String], environment: [String: String] = [:]
) throws -> CommandResult {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [program] + arguments
  process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
  // Errors go to a file: with two pipes, one could fill up while the other is being read.
  let log = FileManager.default.temporaryDirectory.appendingPathComponent("pando-\(UUID().uuidString).log")
  guard FileManager.default.createFile(atPath: log.path, contents: nil) else {
    throw DataError.system("create the file", at: log.path)
  }
  defer { try? FileManager.default.removeItem(at: log) }
  let pipe = Pipe()
  process.standardInput = FileHandle.nullDevice
  process.standardOutput = pipe
  process.standardError = try FileHandle(forWritingTo: log)
  do { try process.run() } catch {
    throw DataError(.system, at: program, "cannot be run: \(error.localizedDescription)")
  }
  let output = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  let errors = (try? Data(contentsOf: log)) ?? Data()
  return CommandResult(
    status: process.terminationStatus, output: output, errors: String(decoding: errors, as: UTF8.self))
}
