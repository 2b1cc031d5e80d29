import Foundation
import Testing

/// Whatever is wrong, there is one `error:` line that says what and where, exit code 2, and nothing half-written.
@Suite(.serialized) struct BadInputTests {
  private func expectRefused(
    _ arguments: [String], in folder: TemporaryFolder, saying words: [String],
    environment: [String: String] = [:],
    shell: String? = nil, status: Int32 = 2, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let outcome = try Command.run(arguments, in: folder.url, environment: environment, shell: shell)
    #expect(outcome.status == status, "\(outcome.errors)", sourceLocation: sourceLocation)
    #expect(outcome.errorLines.count == 1, "\(outcome.errors)", sourceLocation: sourceLocation)
    for word in words {
      #expect(
        outcome.errorLines.first?.contains(word) == true, "'\(word)' is not in \(outcome.errors)",
        sourceLocation: sourceLocation)
    }
  }

  private func prepared() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe()
    return folder
  }

  @Test func unknownVerbsAndFlags() throws {
    let folder = try prepared()
    try expectRefused(["tran", "recipe.yaml"], in: folder, saying: ["tran", "'train'"])
    try expectRefused(["checkpoint", "chek"], in: folder, saying: ["pando checkpoint", "'check'", "merge"])
    try expectRefused(["data", "lst"], in: folder, saying: ["pando data", "'list'"])
    try expectRefused(["train", "recipe.yaml", "--rsume"], in: folder, saying: ["--rsume", "--resume"])
    try expectRefused(["bench", "--workload", "gtp"], in: folder, saying: ["gtp", "'gpt'"])
    try expectRefused(["train", "recipe.yaml", "--device", "cpo"], in: folder, saying: ["cpo", "'cpu'"])
    try expectRefused(
      ["data", "get", "fashon-mnist"], in: folder, saying: ["fashon-mnist", "'fashion-mnist'"])
  }

  @Test func unknownInstructionSets() throws {
    let folder = try prepared()
    let variable = ["PANDO_ISA": "avx1024"]
    #if arch(x86_64)
    try expectRefused(
      ["train", "recipe.yaml"], in: folder, saying: ["PANDO_ISA", "avx1024", "sse2"], environment: variable)
    #else
    try expectRefused(["doctor"], in: folder, saying: ["PANDO_ISA", "avx1024"], environment: variable)
    #endif
  }

  @Test func recipes() throws {
    let folder = try prepared()
    try expectRefused(["train", "recpe.yaml"], in: folder, saying: ["recpe.yaml", "recipe.yaml"])
    try folder.write("broken.yaml", "data: {source: [")
    try expectRefused(["train", "broken.yaml"], in: folder, saying: ["broken.yaml"])
    try expectRefused(
      ["train", "recipe.yaml", "--set", "train.optimizer.learnin-rate=1"], in: folder,
      saying: ["learning-rate"])
    try expectRefused(
      ["train", "recipe.yaml", "--set", "train.steps=soon"], in: folder, saying: ["train.steps", "soon"])
    try expectRefused(
      ["train", "recipe.yaml", "--set", "data.source=nothing.csv"], in: folder, saying: ["nothing.csv"])
    try expectRefused(
      ["train", "recipe.yaml", "--set", "data.source=digit"], in: folder, saying: ["'digits'"])
  }

  /// A budget that cannot be met is answered by the smallest that can, and that one is met.
  @Test func theSmallestBudgetIsNamedAndMet() throws {
    let folder = try prepared()
    let settings = ["--set", "model.hidden=[64, 64, 64, 64]", "--set", "data.batch=128", "--set"]
    for recompute in ["auto", "none"] {
      let set = ["train", "recipe.yaml", "--set", "train.recompute=\(recompute)"] + settings
      let refused = try Command.run(set + ["train.memory=100KiB"], in: folder.url)
      #expect(refused.status == 2 && refused.errorLines.count == 1, "\(refused.errors)")
      let line = try #require(refused.errorLines.first)
      let match = try #require(line.firstMatch(of: /train\.memory: the run needs ([0-9]+) bytes/), "\(line)")
      let smallest = try #require(Int(match.1))
      #expect(try Command.run(set + ["train.memory=\(smallest)"], in: folder.url).status == 0)
      #expect(try Command.run(set + ["train.memory=\(smallest - 1)"], in: folder.url).status == 2)
    }
  }

  @Test func whatDoesNotFitTogether() throws {
    let folder = try prepared()
    try expectRefused(
      ["train", "recipe.yaml", "--set", "data.batch=5000"], in: folder, saying: ["data.batch", "5000"])
    try expectRefused(
      ["train", "recipe.yaml", "--set", "train.memory=1KiB"], in: folder, saying: ["train.memory", "1024"])
    try expectRefused(
      ["train", "recipe.yaml", "--set", "train.recompute=block"], in: folder,
      saying: ["train.recompute", "'blocks'"])
    try folder.write(
      "cnn.yaml",
      """
      data: {source: table.csv, batch: 16}
      model: {kind: cnn}
      train: {steps: 5}
      """)
    try expectRefused(["train", "cnn.yaml"], in: folder, saying: ["model.kind", "float32[3]", "mlp"])
    try expectRefused(
      ["train", "recipe.yaml", "--ranks", "2", "--set", "data.batch=1"], in: folder,
      saying: ["data.batch", "2 ranks"])
    try expectRefused(["train", "recipe.yaml", "--hang-limit", "0"], in: folder, saying: ["--hang-limit"])
    try folder.write("table.csv", "a,b,class\n")
    try expectRefused(["train", "recipe.yaml"], in: folder, saying: ["table.csv"])
    #expect(!FileManager.default.fileExists(atPath: folder.url.appendingPathComponent("runs").path))
  }

  @Test func aDataSetThatCannotBeHad() throws {
    let folder = try prepared()
    // No tools on the path, so nothing can be fetched.
    try expectRefused(
      ["train", "recipe.yaml", "--set", "data.source=digits", "--set", "data.label=null"], in: folder,
      saying: ["python3-pip", "apt-get install"],
      environment: ["PANDO_DATA": folder.url.path + "/data", "PATH": "/nowhere"],
      status: 2)
  }

  @Test func folders() throws {
    let folder = try prepared()
    try expectRefused(
      ["train", "recipe.yaml", "--out", "table.csv"], in: folder, saying: ["table.csv", "--out"])
    try expectRefused(["generate", "nowhere"], in: folder, saying: ["nowhere", "recipe.yaml"])
  }

  @Test func resumingWithAnotherModel() throws {
    let folder = try prepared()
    #expect(try Command.run(["train", "recipe.yaml", "--out", "run"], in: folder.url).status == 0)
    let before = try folder.json("run/summary.json")["weights_sha256"] as? String
    try expectRefused(
      ["train", "recipe.yaml", "--out", "run", "--resume", "--set", "model.hidden=[16, 4]"], in: folder,
      saying: ["float32[4,16]", "float32[8,16]"])
    #expect(try folder.json("run/summary.json")["weights_sha256"] as? String == before)
  }

  /// A disk that fills up while a checkpoint is written, played by a limit on file sizes: the earlier checkpoint stays.
  @Test func aFullDiskLeavesTheCheckpointBefore() throws {
    let folder = try prepared()
    let first = try Command.run(
      ["train", "recipe.yaml", "--out", "run", "--set", "train.steps=10"], in: folder.url)
    #expect(first.status == 0, "\(first.errors)")
    let checkpoints = folder.url.appendingPathComponent("run/checkpoints").path
    let before = try FileManager.default.contentsOfDirectory(atPath: checkpoints).sorted()
    #expect(before == ["step-10"])
    let outcome = try Command.run(
      ["train", "recipe.yaml", "--out", "run", "--resume"], in: folder.url,
      shell: "trap '' XFSZ; ulimit -f 1;")
    #expect(outcome.status != 0)
    #expect(outcome.errorLines.count == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: checkpoints).sorted() == before)
    let resumed = try Command.run(
      ["train", "recipe.yaml", "--out", "run", "--resume", "--json"], in: folder.url)
    #expect(resumed.status == 0 && resumed.json["steps"] as? Int == 60)
  }

  @Test func numbersThatBlowUpAreNamed() throws {
    let folder = try prepared()
    let outcome = try Command.run(
      ["train", "recipe.yaml", "--set", "train.optimizer.learning-rate=1e30", "--set", "model.dropout=0"],
      in: folder.url)
    #expect(outcome.status == 1)
    #expect(outcome.errorLines.first?.contains("step ") == true)
    #expect(outcome.errorLines.first?.contains("not finite") == true)
  }
}
