import Foundation
import Testing

/// Runs the built `pando` as a user would.
struct Command {
  /// What came back.
  struct Outcome {
    let status: Int32
    let output: String
    let errors: String

    /// Standard output as a JSON object.
    var json: [String: Any] {
      (try? JSONSerialization.jsonObject(with: Data(output.utf8))) as? [String: Any] ?? [:]
    }

    /// The `error:` lines on standard error.
    var errorLines: [String] {
      errors.split(separator: "\n").map(String.init).filter { $0.hasPrefix("error: ") }
    }
  }

  static var binary: URL {
    if let path = ProcessInfo.processInfo.environment["PANDO_BINARY"] { return URL(fileURLWithPath: path) }
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return root.appendingPathComponent(".build/release/pando")
  }

  /// Starts a command; its standard error goes to `errors` where given.
  static func start(
    _ arguments: [String], in folder: URL, environment: [String: String] = [:], shell: String? = nil,
    output: Any? = nil, errors: Any? = nil
  ) throws -> Process {
    let process = Process()
    if let shell {
      process.executableURL = URL(fileURLWithPath: "/bin/bash")
      process.arguments = ["-c", shell + " exec \"$0\" \"$@\"", binary.path] + arguments
    } else {
      process.executableURL = binary
      process.arguments = arguments
    }
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output ?? FileHandle.nullDevice
    process.standardError = errors ?? FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Runs a command to its end.
  @discardableResult
  static func run(
    _ arguments: [String], in folder: URL, environment: [String: String] = [:], shell: String? = nil
  ) throws -> Outcome {
    // Files, not pipes: nothing can fill up.
    let (out, err) = (folder.appendingPathComponent(".stdout"), folder.appendingPathComponent(".stderr"))
    for url in [out, err] { FileManager.default.createFile(atPath: url.path, contents: nil) }
    let (outHandle, errHandle) = (try FileHandle(forWritingTo: out), try FileHandle(forWritingTo: err))
    let process = try start(
      arguments, in: folder, environment: environment, shell: shell, output: outHandle, errors: errHandle)
    process.waitUntilExit()
    try outHandle.close()
    try errHandle.close()
    return Outcome(
      status: process.terminationStatus, output: try String(contentsOf: out, encoding: .utf8),
      errors: try String(contentsOf: err, encoding: .utf8))
  }
}

/// A folder that goes away with the test.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("pando-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// Writes a file.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> URL {
    let file = url.appendingPathComponent(name)
    try Data(text.utf8).write(to: file)
    return file
  }

  /// A small table with three classes that an MLP can learn.
  func writeTable(rows: Int = 300) throws {
    var state: UInt64 = 5
    func draw() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 33) / Double(1 << 31)
    }
    var lines = ["a,b,c,class"]
    for row in 0..<rows {
      let label = row % 3
      let values = (0..<3).map { column in String(format: "%.4f", draw() * 0.8 + (column == label ? 1 : 0)) }
      lines.append((values + ["\(label)"]).joined(separator: ","))
    }
    try write("table.csv", lines.joined(separator: "\n") + "\n")
  }

  /// A recipe over that table.
  func writeRecipe(steps: Int = 60, extra: String = "") throws {
    try write(
      "recipe.yaml",
      """
      name: small
      seed: 3
      data: {source: table.csv, batch: 16, normalize: true}
      model: {kind: mlp, hidden: [16, 8], dropout: 0.1}
      objective: {metric: accuracy}
      train:
        steps: \(steps)
        optimizer: {kind: adamw, learning-rate: 1e-2}
        evaluate: {every: 20}
      checkpoint: {every: 10, keep: 2}
      \(extra)
      """)
  }

  /// A JSON file as an object.
  func json(_ path: String) throws -> [String: Any] {
    let data = try Data(contentsOf: url.appendingPathComponent(path))
    return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }
}
