import Foundation
import Testing

/// Training through the command: what a run leaves behind, and that it is the same run after any interruption.
@Suite(.serialized) struct TrainTests {
  private func trained(_ folder: TemporaryFolder, _ arguments: [String] = []) throws -> [String: Any] {
    let outcome = try Command.run(["train", "recipe.yaml", "--json"] + arguments, in: folder.url)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome.json
  }

  @Test func aRunLeavesAWholeFolder() throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe()
    let summary = try trained(folder)
    let keys = [
      "steps", "epochs", "samples", "seconds", "samples_per_second", "train_loss", "eval", "parameters",
      "peak_memory_bytes", "planned_memory_bytes", "ranks", "device", "precision", "weights_sha256", "seed",
      "joules",
      "joules_error", "energy_method", "co2_grams", "co2_source",
    ]
    for key in keys { #expect(summary[key] != nil, "\(key) is missing") }
    #expect(summary["steps"] as? Int == 60)
    #expect(summary["samples"] as? Int == 960)
    #expect(summary["peak_memory_bytes"] as? Int == summary["planned_memory_bytes"] as? Int)
    #expect((summary["eval"] as? [String: Double])?["accuracy"] ?? 0 > 0.9)
    let names = try FileManager.default.contentsOfDirectory(
      atPath: folder.url.appendingPathComponent("runs/small").path)
    for name in ["recipe.yaml", "plan.json", "metrics.jsonl", "checkpoints", "summary.json", "report.html"] {
      #expect(names.contains(name), "\(name) is missing")
    }
    #expect(names.contains { $0.hasPrefix("events.out.tfevents.") })
    #expect(
      try folder.json("runs/small/summary.json")["weights_sha256"] as? String == summary["weights_sha256"]
        as? String)
  }

  @Test func theSameSeedGivesTheSameWeights() throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe()
    let first = try trained(folder)["weights_sha256"] as? String
    let again =
      try trained(folder, ["--out", "again", "--set", "train.threads=1"])["weights_sha256"] as? String
    let other = try trained(folder, ["--out", "other", "--set", "seed=4"])["weights_sha256"] as? String
    #expect(first != nil && first == again)
    #expect(first != other)
  }

  private static let startsRanks =
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/mpirun")
    }

  @Test(.enabled(if: startsRanks, "Open MPI is not installed"))
  func reproducibleRunsEndWithTheSameWeightsOnAnyNumberOfRanks() throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe()
    let one = try trained(folder, ["--set", "reproducible=true"])
    for ranks in [2, 3] {
      let many = try trained(
        folder, ["--set", "reproducible=true", "--ranks", "\(ranks)", "--out", "ranks-\(ranks)"])
      #expect(many["ranks"] as? Int == ranks)
      #expect(many["weights_sha256"] as? String == one["weights_sha256"] as? String)
    }
  }

  /// Without `reproducible`, ranks share each batch and each updates its own replica.
  @Test(.enabled(if: startsRanks, "Open MPI is not installed"))
  func ranksTrainTogether() throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe()
    // Without dropout, whose random numbers are a rank's own, two ranks compute what one does.
    let plain = ["--set", "model.dropout=0"]
    let one = try trained(folder, plain)
    let two = try trained(folder, plain + ["--ranks", "2", "--set", "parallel.axes.data=2", "--out", "two"])
    #expect(two["ranks"] as? Int == 2)
    #expect(two["samples"] as? Int == one["samples"] as? Int)
    #expect(two["peak_memory_bytes"] as? Int == two["planned_memory_bytes"] as? Int)
    #expect(two["sent_bytes_per_step"] as? Double ?? 0 > 0)
    let losses = try [one, two].map { try #require($0["train_loss"] as? Double) }
    #expect(abs(losses[0] - losses[1]) < 1e-3 * losses[0])
  }

  /// The way of spreading is found by the first rank, and stands in the run's folder as it was found.
  @Test(.enabled(if: startsRanks, "Open MPI is not installed"))
  func theBestWayIsFoundAndWritten() throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe(steps: 20)
    let summary = try trained(folder, ["--ranks", "2", "--set", "parallel=auto", "--out", "auto"])
    #expect(summary["ranks"] as? Int == 2)
    let written = try String(contentsOf: folder.url.appending(path: "auto/recipe.yaml"), encoding: .utf8)
    #expect(written.contains("axes:") && !written.contains("parallel: auto"))
    // Every rank's process is measured beside what was planned for it.
    let planned = try #require(summary["planned_resident_bytes"] as? [Int])
    let measured = try #require(summary["resident_bytes"] as? [Int])
    #expect(planned.count == 2 && measured.count == 2 && measured.allSatisfy { $0 > 1 << 20 })
  }

  /// Started by hand with different recipes or flags, the ranks say so before any of them trains.
  @Test(.enabled(if: startsRanks, "Open MPI is not installed"))
  func ranksMustAgree() throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe()
    for (setting, reason) in [
      ("--set seed=9", "rank 1 has another recipe than rank 0"),
      ("--resume", "rank 1 has another set of flags than rank 0"),
    ] {
      let train = "\(Command.binary.path) train recipe.yaml --set reproducible=true"
      let outcome = try Command.run(
        [], in: folder.url,
        environment: ["OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"],
        shell: "exec mpirun --oversubscribe --bind-to none -n 1 \(train) : -n 1 \(train) \(setting);")
      #expect(outcome.status == 2)
      #expect(outcome.errorLines.count == 1 && outcome.errors.contains(reason), "\(outcome.errors)")
      #expect(!FileManager.default.fileExists(atPath: folder.url.appendingPathComponent("runs").path))
    }
  }

  /// What is computed again, to whatever budget, leads to the very same weights.
  @Test func recomputationKeepsTheWeights() throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe()
    let wide = ["--set", "model.hidden=[64, 64, 64, 64, 64, 64, 64, 64]", "--set", "data.batch=128"]
    let whole = try trained(folder, wide + ["--set", "train.recompute=none"])
    let needed = try #require(whole["planned_memory_bytes"] as? Int)
    for settings in [
      ["train.recompute=blocks"], ["train.recompute=sqrt"], ["train.memory=\(needed - 100_000)"],
    ] {
      let summary = try trained(folder, wide + ["--out", "other"] + settings.flatMap { ["--set", $0] })
      let planned = try #require(summary["planned_memory_bytes"] as? Int)
      #expect(planned < needed, "\(settings)")
      #expect(summary["peak_memory_bytes"] as? Int == planned, "\(settings)")
      #expect(summary["weights_sha256"] as? String == whole["weights_sha256"] as? String, "\(settings)")
    }
  }

  /// Killed at ten points of a run, each time resumed: the weights are those of a run that was never stopped. With a
  /// checkpoint every other step one is being written at almost any moment.
  @Test(arguments: [(12_000, 100), (200, 2)])
  func killedAndResumedItIsTheSameRun(steps: Int, every: Int) throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe(steps: steps)
    let settings = ["--set", "train.evaluate.every=\(steps / 4)", "--set", "checkpoint.every=\(every)"]
    let undisturbed =
      try trained(folder, ["--out", "undisturbed"] + settings + ["--set", "checkpoint.every=\(steps)"])[
        "weights_sha256"] as? String
    var random = SystemRandomNumberGenerator()
    var kills = 0
    for _ in 0..<10 {
      let process = try Command.start(
        ["train", "recipe.yaml", "--out", "killed", "--resume"] + settings, in: folder.url)
      Thread.sleep(forTimeInterval: Double.random(in: 0.02...0.4, using: &random))
      if process.isRunning { kills += 1 }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let checkpoints = folder.url.appendingPathComponent("killed/checkpoints").path
      let names = (try? FileManager.default.contentsOfDirectory(atPath: checkpoints)) ?? []
      if names.contains(where: { $0.hasPrefix("step-") }) {
        let merged = try Command.run(["checkpoint", "merge", "killed"], in: folder.url)
        #expect(merged.status == 0 && merged.errors.isEmpty, "\(merged.errors)")
      }
    }
    #expect(kills > 0)
    let resumed = try trained(folder, ["--out", "killed", "--resume"] + settings)
    #expect(resumed["weights_sha256"] as? String == undisturbed)
    #expect(resumed["steps"] as? Int == steps)
  }

  private static let digits = URL(
    fileURLWithPath: ProcessInfo.processInfo.environment["PANDO_DATA"] ?? NSHomeDirectory()
      + "/.cache/pando/data"
  ).appendingPathComponent("digits")

  /// The methods that a run decided on are those of the run when it goes on, whatever has been measured since.
  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: digits.path), "needs the data set digits"))
  func aResumedRunKeepsItsMethods() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      "recipe.yaml",
      """
      name: small
      seed: 3
      data: {source: digits, batch: 64}
      model: {kind: cnn, channels: [32, 32], dense: 16}
      train: {steps: 6, evaluate: {every: 6}}
      checkpoint: {every: 3, keep: 2}
      """)
    let cache = folder.url.appendingPathComponent("cache")
    func digest(_ arguments: [String]) throws -> String? {
      let outcome = try Command.run(
        ["train", "recipe.yaml", "--json"] + arguments, in: folder.url,
        environment: ["XDG_CACHE_HOME": cache.path])
      #expect(outcome.status == 0, "\(outcome.errors)")
      return outcome.json["weights_sha256"] as? String
    }
    _ = try digest(["--out", "measured"])
    let methods = cache.appendingPathComponent("pando/methods")
    let files = try? FileManager.default.contentsOfDirectory(at: methods, includingPropertiesForKeys: nil)
    // Not every machine has more than one method.
    guard let file = files?.first else { return }
    let measured = try String(contentsOf: file, encoding: .utf8)
    #expect(measured.contains("convolution"))
    func remember(_ method: String) throws {
      let text = measured.replacingOccurrences(
        of: #" : "(direct|winograd|ownWinograd)""#, with: " : \"\(method)\"", options: .regularExpression)
      try Data(text.utf8).write(to: file)
    }
    try remember("direct")
    let direct = try digest(["--out", "direct"])
    // Where it is none that there is, the rule decides, for Winograd's method.
    try remember("another")
    #expect(try digest(["--out", "other"]) != direct)
    // Back to the middle of the first run.
    try FileManager.default.removeItem(
      at: folder.url.appendingPathComponent("direct/checkpoints/step-6"))
    #expect(try digest(["--out", "direct", "--resume"]) == direct)
  }

  /// A run that has more steps than are asked for now is complete, and says so and no more.
  @Test func nothingIsTrainedBeyondTheEnd() throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe()
    let whole = try trained(folder)["weights_sha256"] as? String
    let again = try Command.run(
      ["train", "recipe.yaml", "--resume", "--json", "--set", "train.steps=40"], in: folder.url)
    #expect(again.status == 0 && again.json["weights_sha256"] as? String == whole)
    #expect(again.errors.contains("the run is complete: 60 steps are done, and the recipe asks for 40"))
    #expect(
      again.errors.contains("set train.steps higher") && !again.errors.contains("60/40"), "\(again.errors)")
  }

  @Test func aSignalStopsItWithACheckpoint() throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe(steps: 1_000_000)
    let process = try Command.start(
      ["train", "recipe.yaml", "--set", "checkpoint.every=100000"], in: folder.url)
    Thread.sleep(forTimeInterval: 1)
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let steps = try #require(try folder.json("runs/small/summary.json")["steps"] as? Int)
    #expect(steps > 0 && steps < 1_000_000)
    let path = "runs/small/checkpoints/step-\(steps)/checkpoint.json"
    #expect(FileManager.default.fileExists(atPath: folder.url.appendingPathComponent(path).path))
  }

  /// A profile holds every kernel of every watched step, within its step, and changes nothing.
  @Test(arguments: ["train.accumulate=1", "train.accumulate=2", "reproducible=true"])
  func aProfileChangesNothing(setting: String) throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe(steps: 20)
    let settings = ["--set", setting, "--set", "checkpoint.every=4", "--set", "train.evaluate.every=4"]
    let plain = try trained(folder, ["--out", "plain"] + settings)["weights_sha256"] as? String
    let profiled =
      try trained(folder, ["--out", "profiled", "--profile"] + settings)["weights_sha256"] as? String
    #expect(plain != nil && plain == profiled)
    #expect(
      !FileManager.default.fileExists(atPath: folder.url.appendingPathComponent("plain/trace.json").path))
    let events = try #require(try folder.json("profiled/trace.json")["traceEvents"] as? [[String: Any]])
    let rows = events.filter { $0["name"] as? String == "thread_name" }
    struct Span {
      let name: String, category: String
      let row: Int
      let start: Double, end: Double
      let node: String?
    }
    let spans = try events.filter { $0["ph"] as? String == "X" }.map { event in
      let start = try #require(event["ts"] as? Double)
      return Span(
        name: try #require(event["name"] as? String), category: try #require(event["cat"] as? String),
        row: try #require(event["tid"] as? Int), start: start,
        end: start + (try #require(event["dur"] as? Double)),
        node: (event["args"] as? [String: String])?["node"])
    }
    #expect(
      Set(spans.map(\.category)).isSuperset(of: ["step", "batch", "metrics", "evaluation", "checkpoint"]))
    #expect(Set(spans.map(\.row)) == Set(rows.compactMap { $0["tid"] as? Int }))
    let steps = spans.filter { $0.category == "step" }
    #expect(steps.map(\.name) == (3...10).map { "step \($0)" })
    let kernels = spans.filter { $0.node != nil }
    var nodes: [[String]] = []
    for step in steps {
      // To the nanosecond, which is the clock's.
      let inside = kernels.filter { $0.start >= step.start - 1e-3 && $0.end <= step.end + 1e-3 }
      for row in Set(inside.map(\.row)) {
        let row = inside.filter { $0.row == row }
        #expect(zip(row, row.dropFirst()).allSatisfy { $0.end <= $1.start + 1e-3 })
        #expect(row.reduce(0) { $0 + $1.end - $1.start } <= step.end - step.start)
      }
      nodes.append(inside.compactMap(\.node).sorted())
    }
    #expect(nodes.reduce(0) { $0 + $1.count } == kernels.count)
    #expect(nodes.allSatisfy { $0 == nodes[0] && $0.count > 5 })
  }

  /// A run with fewer steps than a profile watches is watched whole.
  @Test func aShortRunIsProfiledWhole() throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe(steps: 3)
    _ = try trained(folder, ["--profile"])
    let events = try #require(try folder.json("runs/small/trace.json")["traceEvents"] as? [[String: Any]])
    #expect(events.count { $0["cat"] as? String == "step" } == 3)
    #expect(events.contains { $0["cat"] as? String == "checkpoint" })
  }

  @Test func accumulationIsOneLargerBatch() throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe(steps: 20)
    let plain = ["--set", "model.dropout=0", "--set", "data.batch=32"]
    let parts = ["--set", "model.dropout=0", "--set", "data.batch=8", "--set", "train.accumulate=4"]
    let whole = try trained(folder, ["--out", "whole"] + plain)["train_loss"] as? Double
    let summed = try trained(folder, ["--out", "summed"] + parts)["train_loss"] as? Double
    #expect(abs((whole ?? 0) - (summed ?? 1)) < 1e-5)
  }

  @Test func itStopsAtTheTarget() throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe(steps: 2000)
    let summary = try trained(folder, ["--set", "objective.target=0.6"])
    #expect((summary["steps"] as? Int ?? 0) < 2000)
  }

  @Test func aLanguageModelTrainsAndWrites() throws {
    let folder = try TemporaryFolder()
    // 23 letters against windows of 16: every letter is seen at every place of a window.
    try folder.write("text.txt", String(repeating: "the cat sat on my mat. ", count: 400))
    try folder.write(
      "recipe.yaml",
      """
      data: {source: text.txt, unit: character, context: 16, batch: 8}
      model: {kind: gpt, layers: 1, width: 32, heads: 2}
      objective: {metric: bits-per-character}
      train: {steps: 300, optimizer: {kind: adamw, learning-rate: 1e-2}, clip-norm: 1.0}
      """)
    let summary = try trained(folder, ["--out", "run"])
    #expect((summary["eval"] as? [String: Double])?["bits-per-character"] ?? 9 < 1)
    let outcome = try Command.run(
      ["generate", "run", "--prompt", "the cat", "--tokens", "20", "--temperature", "0"], in: folder.url)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.hasPrefix("the cat sat on"))
    let unknown = try Command.run(["generate", "run", "--prompt", "Ω"], in: folder.url)
    #expect(unknown.status == 2 && unknown.errorLines.count == 1)
  }
}
