import Foundation
import PandoData
import PandoTraining
import Testing

private struct Plan: Encodable {
  var plannedBytes: Int
}

private func summary(loss: Double) -> RunSummary {
  RunSummary(
    steps: 100, epochs: 1.5, samples: 3200, seconds: 2.5, samplesPerSecond: 1280, trainLoss: loss,
    eval: ["accuracy": 0.5, "loss": loss], parameters: 1234, peakMemoryBytes: 99, plannedMemoryBytes: 99,
    ranks: 1,
    device: "cpu", precision: "float32", weightsSHA256: "ab", seed: 3)
}

@Test func newFolderIsMadeAndOldRunGoes() throws {
  let place = try TemporaryFolder()
  let run = RunFolder(place.url.appending(path: "runs/x"))
  try run.prepare(resuming: false)
  #expect(place.names("runs/x") == ["checkpoints"])

  try run.write(try Recipe(yaml: small))
  try run.write(summary(loss: 1))
  try run.writePlan(Plan(plannedBytes: 12))
  _ = try MetricsLog(run.metrics, resumingAfter: nil)
  _ = try EventFile(in: run.url)
  try run.checkpoints.save(
    CheckpointManifest(step: 1, position: 1, seed: 1, optimizer: "sgd", parameters: []), files: [], keep: 1)
  try Data("mine".utf8).write(to: run.url.appending(path: "notes.txt"))
  try FileManager.default.createDirectory(
    at: run.url.appending(path: "checkpoints/.step-9.partial"), withIntermediateDirectories: true)
  #expect(try String(contentsOf: run.plan, encoding: .utf8).contains("\"planned_bytes\" : 12"))
  #expect(try Recipe.load(path: run.recipe.path) == Recipe(yaml: small))

  try run.prepare(resuming: true)
  let kept = place.names("runs/x").filter { !$0.hasPrefix("events") }
  #expect(kept == ["checkpoints", "metrics.jsonl", "notes.txt", "plan.json", "recipe.yaml", "summary.json"])
  #expect(place.names("runs/x/checkpoints") == ["step-1"])

  try run.prepare(resuming: false)
  #expect(place.names("runs/x") == ["checkpoints", "notes.txt"])
  #expect(place.names("runs/x/checkpoints").isEmpty)
}

@Test func fileInTheWayIsAnError() throws {
  let place = try TemporaryFolder()
  let url = place.url.appending(path: "runs")
  try Data().write(to: url)
  let error = #expect(throws: DataError.self) { try RunFolder(url).prepare(resuming: false) }
  #expect(error?.message == "expected a folder for the run, got a file")
  let inner = #expect(throws: DataError.self) {
    try RunFolder(url.appending(path: "x")).prepare(resuming: false)
  }
  #expect(
    inner?.description.contains("cannot create the folder: Not a directory") == true,
    "\(inner?.description ?? "")")
}

@Test func unwritableFolderIsAnError() {
  // Not even the superuser can write into this one.
  let error = #expect(throws: DataError.self) {
    try RunFolder(URL(fileURLWithPath: "/proc/pando-run")).prepare(resuming: false)
  }
  #expect(error?.place == "/proc/pando-run")
  #expect(error?.message.contains("cannot create the folder") == true)
  #expect(error?.mend?.contains("--out") == true)
}

@Test func summaryHasTheKeysOfTheContract() throws {
  let place = try TemporaryFolder()
  let run = RunFolder(place.url)
  try run.write(summary(loss: .nan))
  let bytes = try Data(contentsOf: run.summary)
  let object = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
  #expect(
    Set(object.keys) == [
      "steps", "epochs", "samples", "seconds", "samples_per_second", "train_loss", "eval", "parameters",
      "peak_memory_bytes", "planned_memory_bytes", "ranks", "device", "precision", "weights_sha256", "seed",
      "restarts", "wasted_steps", "rank_seconds",
      "sent_bytes_per_step", "exchange_share", "planned_resident_bytes", "resident_bytes",
      "offloaded_bytes", "offload_wait_seconds",
    ])
  #expect(object["train_loss"] is NSNull)
  #expect((object["eval"] as? [String: Any])?["loss"] is NSNull)
  #expect((object["eval"] as? [String: Any])?["accuracy"] as? Double == 0.5)
  let read = try JSONDecoder().decode(RunSummary.self, from: bytes)
  #expect(read.trainLoss.isNaN && read.eval["loss"]?.isNaN == true && read.steps == 100)

  let finite = summary(loss: 0.25)
  #expect(try JSONDecoder().decode(RunSummary.self, from: JSONEncoder().encode(finite)) == finite)
  #expect(try JSONDecoder().decode(RunSummary.self, from: Data(finite.json.utf8)) == finite)
  #expect(!finite.json.contains("\n"))
}

/// What only experts and pipelines have is there where they are, and absent elsewhere.
@Test func summariesHaveTheFiguresOfExpertsAndPipelines() throws {
  var full = summary(loss: 1)
  (full.balanceLoss, full.droppedShare, full.bubble, full.bubbleFormula) = (1.5, 0.25, 0.375, 0.125)
  let place = try TemporaryFolder()
  for written in [full, summary(loss: 1)] {
    let run = RunFolder(place.url.appending(path: "runs/x"))
    try run.prepare(resuming: false)
    try run.write(written)
    let data = try Data(contentsOf: run.summary)
    #expect(try JSONDecoder().decode(RunSummary.self, from: data) == written)
    let line = try JSONDecoder().decode(RunSummary.self, from: Data(written.json.utf8))
    #expect(line == written)
    #expect(written.json.contains("\"balance_loss\":1.5") == (written == full))
    #expect(written.json.contains("\"bubble_formula\":0.125") == (written == full))
  }
}
