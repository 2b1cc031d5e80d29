import Foundation
import Testing

/// `pando scale`: a ladder from end to end, kept, stopped and gone on with, and what it refuses.
@Suite(.serialized) struct ScaleTests {
  private func prepared() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    // Words by a rule with some chance in it, so that there is always more to learn.
    let words = ["in", "the", "beginning", "was", "light", "and", "water", "over", "earth", "men"]
    var (state, text): (UInt64, String) = (5, "")
    for _ in 0..<6000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let place = (Int(state >> 60) + text.utf8.count) % 10
      text += words[place] + (place == 9 ? ".\n" : " ")
    }
    try folder.write("text.txt", text)
    try folder.write(
      "recipe.yaml",
      """
      name: words
      seed: 2
      data: {source: text.txt, unit: character, context: 16, batch: 8, validation: 0.05}
      model: {kind: gpt, layers: 2, width: 48, heads: 3}
      objective: {metric: bits-per-character}
      train:
        steps: 500
        optimizer: {kind: adamw, learning-rate: 5e-3}
        schedule: {kind: cosine, warmup: 20}
      """)
    return folder
  }

  private let small = ["--sizes", "3", "--amounts", "3"]

  @Test func aLadderIsRunFittedAndKept() throws {
    let folder = try prepared()
    let outcome = try Command.run(["scale", "recipe.yaml", "--json"] + small, in: folder.url)
    let answer = outcome.json
    let isIdentifiable = try #require(answer["identifiable"] as? Bool, "\(outcome.errors)")
    #expect(outcome.status == (isIdentifiable ? 0 : 1), "\(outcome.errors)")
    let rungs = try #require(answer["rungs"] as? [[String: Any]])
    #expect(rungs.count == 9)
    let losses = rungs.compactMap { $0["loss"] as? Double }
    // The cheapest rung learns less than the dearest.
    #expect(losses.count == 9 && losses[0] > losses[8] && losses[8] > 0)
    #expect(answer["tokens"] as? Int == 500 * 8 * 16)
    for key in ["parameters", "operations", "seconds", "joules", "peak_memory_bytes", "epochs"] {
      #expect((answer[key] as? Double ?? 0) > 0, "\(key)")
    }
    if isIdentifiable {
      let loss = try #require(answer["loss"] as? [String: Double])
      let (value, low, high) = (
        try #require(loss["value"]), try #require(loss["low"]), try #require(loss["high"])
      )
      #expect(low <= high && value < losses[0])
      let bits = try #require((answer["metric_value"] as? [String: Double])?["value"])
      #expect(abs(bits * log(2) - value) < 1e-9)
    } else {
      #expect(answer["loss"] == nil && answer["law"] == nil && answer["reason"] != nil)
    }
    #expect(try folder.json("runs/words-scale/scale.json")["tokens"] as? Int == 500 * 8 * 16)
    let page = try String(
      contentsOf: folder.url.appending(path: "runs/words-scale/report.html"), encoding: .utf8)
    #expect(page.contains("Loss over compute") && page.contains("<circle"))

    // Each rung is a run's folder, and none is run again.
    let names = try FileManager.default.contentsOfDirectory(
      atPath: folder.url.appending(path: "runs/words-scale/rungs").path)
    #expect(names.count == 9)
    let again = try Command.run(["scale", "recipe.yaml", "--json"] + small, in: folder.url)
    #expect(!again.errors.contains("rung 1/9"), "\(again.errors)")
    #expect((again.json["rungs"] as? [[String: Any]])?.compactMap { $0["loss"] as? Double } == losses)
    // But where the recipe is another one, they are.
    let other = try Command.run(
      ["scale", "recipe.yaml", "--json", "--set", "train.optimizer.learning-rate=4e-3"] + small,
      in: folder.url)
    #expect(other.errors.contains("rung 1/9"), "\(other.errors)")
  }

  /// Without learning the loss falls with nothing: no figure, and a failure that says why.
  @Test func aLadderThatSaysNothingGivesNoFigure() throws {
    let folder = try prepared()
    let outcome = try Command.run(
      ["scale", "recipe.yaml", "--json", "--set", "train.optimizer.learning-rate=1e-12"] + small,
      in: folder.url)
    #expect(outcome.status == 1)
    #expect(outcome.json["identifiable"] as? Bool == false)
    #expect(outcome.json["loss"] == nil && outcome.json["law"] == nil && outcome.json["best_split"] == nil)
    #expect(outcome.errorLines.count == 1 && outcome.errorLines.first?.contains("not identifiable") == true)
    let page = try String(
      contentsOf: folder.url.appending(path: "runs/words-scale/report.html"), encoding: .utf8)
    #expect(page.contains("There is no figure"))
  }

  @Test func aStoppedLadderGoesOn() throws {
    let folder = try prepared()
    let arguments = ["scale", "recipe.yaml", "--set", "train.steps=4000"] + small
    let errors = folder.url.appending(path: "errors.txt")
    FileManager.default.createFile(atPath: errors.path, contents: nil)
    let process = try Command.start(arguments, in: folder.url, errors: try FileHandle(forWritingTo: errors))
    func said() throws -> String { try String(contentsOf: errors, encoding: .utf8) }
    // A rung has ended and the next one has begun.
    for _ in 0..<1200 where process.isRunning {
      if try said().contains("rung 2/9") { break }
      Thread.sleep(forTimeInterval: 0.05)
    }
    kill(process.processIdentifier, SIGINT)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let text = try said()
    #expect(
      text.contains("Go on with: pando scale recipe.yaml --set train.steps=4000 --sizes 3 --amounts 3"),
      "\(text)")
    let outcome = try Command.run(arguments + ["--json"], in: folder.url)
    #expect((outcome.json["rungs"] as? [[String: Any]])?.count == 9, "\(outcome.errors)")
    #expect(!outcome.errors.contains("rung 1/9 ·") && outcome.errors.contains("rung 9/9 ·"))
  }

  @Test func mistakesAreNamed() throws {
    let folder = try prepared()
    for (arguments, word) in [
      (["scale"], "recipe"), (["scale", "recpe.yaml"], "recipe.yaml"),
      (["scale", "recipe.yaml", "--budget", "soon"], "--budget"),
      (["scale", "recipe.yaml", "--budget", "1ms"], "--budget"),
      (["scale", "recipe.yaml", "--budget", "0.001s"], "too short"),
      (["scale", "recipe.yaml", "--reach", "1"], "--reach"),
      (["scale", "recipe.yaml", "--sizes", "2"], "--sizes"),
      (["scale", "recipe.yaml", "--set", "train.steps=30"], "train.steps"),
      (["scale", "recipe.yaml", "--set", "model={kind: gpt, layers: 1, width: 4, heads: 1}"], "model"),
    ] {
      let outcome = try Command.run(arguments, in: folder.url)
      #expect(outcome.status == 2, "\(arguments) \(outcome.errors)")
      let line = outcome.errorLines.first?.lowercased() ?? ""
      #expect(outcome.errorLines.count == 1 && line.contains(word), "\(arguments) \(outcome.errors)")
    }
    #expect(!FileManager.default.fileExists(atPath: folder.url.appending(path: "runs").path))
  }
}
