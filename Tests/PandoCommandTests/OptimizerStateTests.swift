import Foundation
import Testing

/// An optimizer's state in 16 bits: half the bytes, the same learning, and runs that go on where they were.
@Suite struct OptimizerStateTests {
  private func trained(_ folder: TemporaryFolder, _ arguments: [String]) throws -> [String: Any] {
    let outcome = try Command.run(["train", "recipe.yaml", "--json"] + arguments, in: folder.url)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome.json
  }

  /// Three classes that overlap, so that the loss stays away from 0.
  private func writeOverlappingTable(_ folder: TemporaryFolder) throws {
    var state: UInt64 = 17
    func draw() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 33) / Double(1 << 31)
    }
    let lines = (0..<3000).map { row in
      let values = (0..<4).map { String(format: "%.4f", 2 * draw() + ($0 == row % 3 ? 1 : 0)) }
      return (values + ["\(row % 3)"]).joined(separator: ",")
    }
    try folder.write("table.csv", (["a,b,c,d,class"] + lines).joined(separator: "\n") + "\n")
  }

  @Test func twoHundredStepsEndWithTheSameLoss() throws {
    let folder = try TemporaryFolder()
    try writeOverlappingTable(folder)
    try folder.writeRecipe(steps: 200)
    let settings = ["--set", "data.batch=128", "--set", "model.hidden=[64, 64]", "--set", "model.dropout=0"]
    let wide = try trained(folder, settings + ["--out", "wide"])
    let low = try trained(folder, settings + ["--out", "low", "--set", "train.optimizer.state=bf16"])
    let losses = try [wide, low].map { try #require(($0["eval"] as? [String: Double])?["loss"]) }
    #expect(losses[0] > 0.3 && losses[0] < 1)
    #expect(abs(losses[1] - losses[0]) < 0.01 * losses[0], "\(losses)")
    #expect(losses[0] != losses[1])
    let planned = try ["wide", "low"].map {
      try #require(try folder.json("\($0)/plan.json")["optimizer_bytes"] as? Int)
    }
    #expect(planned[0] == 8 * (wide["parameters"] as? Int ?? 0))
    #expect(planned[0] == 2 * planned[1])
    #expect(low["peak_memory_bytes"] as? Int == low["planned_memory_bytes"] as? Int)
  }

  @Test(arguments: [false, true]) func aCheckpointKeepsIt(reproducible: Bool) throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe()
    let settings = [
      "--out", "run", "--set", "train.optimizer.state=bf16", "--set", "reproducible=\(reproducible)",
    ]
    let whole = try trained(folder, settings)["weights_sha256"] as? String
    let last = folder.url.appendingPathComponent("run/checkpoints/step-60")
    try FileManager.default.removeItem(at: last)
    let again = try trained(folder, settings + ["--resume"])
    #expect(whole != nil && again["weights_sha256"] as? String == whole)
    #expect(FileManager.default.fileExists(atPath: last.path))
  }
}
