import ArgumentParser
import Foundation
import PandoTraining

/// `pando checkpoint`
struct CheckpointCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint", abstract: "Checks checkpoints and puts their shards together.",
    subcommands: [CheckCheckpointCommand.self, MergeCheckpointCommand.self])
}

/// `pando checkpoint check`
struct CheckCheckpointCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Reads every shard of a run's checkpoints, or of one, and compares digests.")

  @Argument(
    help: ArgumentHelp("A run's folder, or one checkpoint: runs/x/checkpoints/step-500.", valueName: "path"),
    completion: .directory)
  var path: String
  @Flag(help: "Print JSON.") var json = false

  /// One checkpoint for scripts.
  private struct Answer: Encodable {
    let step: Int
    let shards: Int
    let bytes: Int
    let problem: String?
  }

  func run() throws {
    let (store, steps) = try CheckpointPath.find(path)
    let answers = steps.map { step in
      do throws(CheckpointError) {
        let files = try store.validated(step).manifest.files
        return Answer(
          step: step, shards: files.count { $0.name.hasPrefix("model") },
          bytes: files.reduce(0) { $0 + $1.bytes },
          problem: nil)
      } catch { return Answer(step: step, shards: 0, bytes: 0, problem: error.message) }
    }
    if json { return try JSONOutput.print(answers) }
    for answer in answers {
      print(
        answer.problem.map { "step \(answer.step): \($0)" }
          ?? "step \(answer.step): whole, \(answer.shards) shard\(answer.shards == 1 ? "" : "s") of the model, "
          + "\(answer.bytes) bytes")
    }
    if !answers.contains(where: { $0.problem == nil }) { throw ExitCode(1) }
  }
}

/// `pando checkpoint merge`
struct MergeCheckpointCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Writes a checkpoint's weights, of all shards, into one safetensors file."
  )

  @Argument(
    help: ArgumentHelp(
      "A run's folder, for its latest whole checkpoint, or one checkpoint: runs/x/checkpoints/step-500.",
      valueName: "path"), completion: .directory)
  var path: String
  @Option(help: ArgumentHelp("Where the file goes.", valueName: "file")) var out = "model.safetensors"
  @Flag(help: "Of a run, the checkpoint of the best evaluation.") var best = false

  func run() throws {
    let (store, steps) = try CheckpointPath.find(path)
    let found: CheckpointStore.Found
    if steps.count == 1, store.url(ofStep: steps[0]).lastPathComponent == CheckpointPath.name(path) {
      do { found = try store.validated(steps[0]) } catch {
        let before = store.latestWhole(before: steps[0])
        throw CheckpointError(
          error.folder,
          error.message
            + (before.map { "; use the checkpoint before it, \(store.url(ofStep: $0.manifest.step).path)" }
              ?? "; there is no whole checkpoint before it"))
      }
    } else {
      let whole = best ? store.best() : store.latest { Terminal.note("passed over \($0)") }
      guard let whole else {
        throw CheckpointError(store.folder, "holds no whole checkpoint\(best ? " of a best evaluation" : "")")
      }
      found = whole
    }
    try found.merge(to: URL(fileURLWithPath: out))
    print("\(out): step \(found.manifest.step), \(found.manifest.parameters.count) tensors")
  }
}

/// Finds what a path means.
private enum CheckpointPath {
  static func name(_ path: String) -> String { URL(fileURLWithPath: path).standardized.lastPathComponent }

  /// The checkpoints of a run's folder, or the one of its own folder.
  static func find(_ path: String) throws -> (store: CheckpointStore, steps: [Int]) {
    let url = URL(fileURLWithPath: path, isDirectory: true).standardized
    let above = CheckpointStore(url.deletingLastPathComponent())
    if let step = above.steps.first(where: { above.url(ofStep: $0).lastPathComponent == name(path) }) {
      return (above, [step])
    }
    let store = RunFolder(url).checkpoints
    guard !store.steps.isEmpty else {
      throw UsageError("\(path) is neither a checkpoint nor a run's folder with checkpoints")
    }
    return (store, store.steps)
  }
}
