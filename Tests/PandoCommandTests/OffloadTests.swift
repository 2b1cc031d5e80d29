import Foundation
import Testing

/// `train.offload` through the command: the same weights, nothing left behind, and mistakes that are told before the run.
@Suite(.serialized) struct OffloadTests {
  private static let wide = ["--set", "model.hidden=[256, 256, 256]", "--set", "data.batch=64"]
  private static let both = ["--set", "train.offload={state: true, activations: true}"]

  /// A folder on a disk: the system's temporary one may lie in memory.
  private func prepared() throws -> (TemporaryFolder, [String]) {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe()
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let files = root.appending(path: ".build/offload-tests").path
    return (folder, ["--set", "train.offload.folder=\(files)"])
  }

  private func trained(_ folder: TemporaryFolder, _ arguments: [String]) throws -> [String: Any] {
    let outcome = try Command.run(["train", "recipe.yaml", "--json"] + Self.wide + arguments, in: folder.url)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome.json
  }

  @Test func theWeightsAreTheSameAndThePlanHolds() throws {
    let (folder, files) = try prepared()
    let plain = try trained(folder, ["--out", "plain"])
    #expect(plain["offloaded_bytes"] as? Int == 0)
    let offloaded = try trained(folder, Self.both + files + ["--out", "run"])
    #expect(plain["weights_sha256"] as? String == offloaded["weights_sha256"] as? String)
    #expect(offloaded["peak_memory_bytes"] as? Int == offloaded["planned_memory_bytes"] as? Int)
    let peaks = [plain, offloaded].map { $0["peak_memory_bytes"] as? Int ?? 0 }
    #expect(peaks[1] > 0 && peaks[1] < peaks[0] * 3 / 4, "\(peaks)")
    #expect(offloaded["offloaded_bytes"] as? Int ?? 0 > peaks[0] / 4)
    let plan = try Command.run(
      ["plan", "recipe.yaml", "--json"] + Self.wide + Self.both + files, in: folder.url)
    #expect(plan.json["peak_memory_bytes"] as? Int == peaks[1])
    #expect(plan.json["offloaded_bytes"] as? Int == offloaded["offloaded_bytes"] as? Int)
    let parts = try #require(plan.json["memory"] as? [[String: Any]])
    #expect(parts.reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) } == peaks[1])
    #expect(plan.json["step_seconds"] as? Double ?? 0 > 0)
  }

  @Test(arguments: ["true", "false"]) func aKilledRunGoesOnAndLeavesNoFile(cached: String) throws {
    let (folder, files) = try prepared()
    let plain = try trained(folder, ["--out", "plain", "--set", "train.steps=400"])
    let settings =
      Self.wide + Self.both + files
      + ["--set", "train.offload.cached=\(cached)", "--set", "train.steps=400", "--out", "run"]
    let process = try Command.start(["train", "recipe.yaml"] + settings, in: folder.url)
    let checkpoints = folder.url.appending(path: "run/checkpoints").path
    while process.isRunning,
      (try? FileManager.default.contentsOfDirectory(atPath: checkpoints))?.contains(where: {
        $0.hasPrefix("step-")
      }) != true
    { usleep(5000) }
    let wasRunning = process.isRunning
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(wasRunning)
    let place = String(files[1].split(separator: "=")[1])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: place).allSatisfy { !$0.hasPrefix(".pando") })
    let resumed = try Command.run(["train", "recipe.yaml", "--json", "--resume"] + settings, in: folder.url)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(resumed.json["weights_sha256"] as? String == plain["weights_sha256"] as? String)
  }

  @Test func mistakesAreToldBeforeTheRun() throws {
    let (folder, _) = try prepared()
    try folder.write("file", "no folder")
    var mistakes = [
      (["train.offload={state: true, folder: file/below}"], "train.offload.folder"),
      (["train.offload.folder=elsewhere"], "nothing is offloaded"),
      (["train.offload.cached=false"], "nothing is offloaded"),
      (["train.offload={stat: true}"], "did you mean 'state'?"),
    ]
    if FileManager.default.isWritableFile(atPath: "/dev/shm") {
      mistakes.append((["train.offload={state: true, folder: /dev/shm}"], "tmpfs"))
    }
    for (settings, text) in mistakes {
      let outcome = try Command.run(
        ["train", "recipe.yaml"] + Self.wide + settings.flatMap { ["--set", $0] }, in: folder.url)
      #expect(outcome.status == 2, "\(settings)")
      #expect(outcome.errorLines.count == 1 && outcome.errorLines[0].contains(text), "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.url.appending(path: "runs").path))
    }
    let other = try Command.run(
      ["train", "recipe.yaml", "--device", "reference", "--set", "train.offload.state=true"], in: folder.url)
    #expect(other.status == 2 && other.errors.contains("train.offload: the device reference"))
  }
}
