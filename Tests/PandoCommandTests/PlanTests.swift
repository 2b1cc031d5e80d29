import Foundation
import Testing

/// `pando plan`: what it says before a run, and that the run then bears it out.
@Suite(.serialized) struct PlanTests {
  private func planned(_ folder: TemporaryFolder, _ arguments: [String] = []) throws -> [String: Any] {
    let outcome = try Command.run(["plan", "recipe.yaml", "--json"] + arguments, in: folder.url)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome.json
  }

  private func prepared() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe()
    return folder
  }

  @Test func aPlanHasItsFiguresAndRunsNothing() throws {
    let folder = try prepared()
    let plan = try planned(folder, ["--out", "plans"])
    for key in [
      "parameters", "flops_per_step", "peak_memory_bytes", "resident_bytes", "step_seconds", "epoch_seconds",
      "pareto", "alive", "memory", "is_calibrated", "joules_per_step",
    ] { #expect(plan[key] != nil, "\(key) is missing") }
    let parts = try #require(plan["memory"] as? [[String: Any]])
    #expect(parts.reduce(0) { $0 + ($1["bytes"] as? Int ?? 0) } == plan["peak_memory_bytes"] as? Int)
    let (joules, seconds) = (plan["joules_per_step"] as? Double, plan["step_seconds"] as? Double)
    #expect(try #require(joules) > #require(seconds) * 0.1)
    // 3×16 + 16, 16×8 + 8 and 8×3 + 3.
    #expect(plan["parameters"] as? Int == 64 + 136 + 27)
    #expect(!FileManager.default.fileExists(atPath: folder.url.appending(path: "runs").path))
    let picture = try String(
      contentsOf: folder.url.appending(path: "plans/memory-timeline.svg"), encoding: .utf8)
    #expect(picture.hasPrefix("<svg xmlns=") && picture.contains("<polyline"))
    #expect(try folder.json("plans/forecast.json")["parameters"] as? Int == 227)
  }

  /// The memory that is planned is the memory of the run, also where a limit has activations computed again.
  @Test func theRunTakesWhatWasPlanned() throws {
    let folder = try prepared()
    let wide = ["--set", "model.hidden=[64, 64, 64, 64, 64, 64]", "--set", "data.batch=128"]
    let whole = try planned(folder, wide)
    let pareto = try #require(whole["pareto"] as? [[String: Double]])
    let peak = try #require(whole["peak_memory_bytes"] as? Int)
    #expect(pareto.count > 1)
    let sizes: [Double] = pareto.compactMap { $0["memory_bytes"] }
    let times: [Double] = pareto.compactMap { $0["step_seconds"] }
    #expect(sizes.count == pareto.count && sizes == sizes.sorted(by: >))
    #expect(times.count == pareto.count && times == times.sorted())
    let limit = Int(try #require(pareto.last?["memory_bytes"]))
    let tight = try planned(folder, wide + ["--memory", "\(limit)"])
    let tightPeak = try #require(tight["peak_memory_bytes"] as? Int)
    #expect(tightPeak <= limit)
    #expect(limit < peak)
    let run = try Command.run(
      ["train", "recipe.yaml", "--json", "--set", "train.memory=\(limit)"] + wide, in: folder.url)
    #expect(run.json["peak_memory_bytes"] as? Int == tightPeak)
  }

  /// Plans of several ranks need no MPI: nothing is started.
  @Test func severalRanksArePlanned() throws {
    let folder = try prepared()
    let plan = try planned(folder, ["--ranks", "2", "--set", "train.threads=1"])
    for key in [
      "parameters", "flops_per_step", "peak_memory_bytes", "resident_bytes", "step_seconds",
      "joules_per_step",
      "pareto", "host_peak_memory_bytes", "host_resident_bytes", "compute_seconds", "exchange_seconds",
    ] { #expect(plan[key] != nil, "\(key) is missing") }
    #expect(plan["ranks"] as? Int == 2)
    let ranks = try #require(plan["per_rank"] as? [[String: Any]])
    #expect(ranks.count == 2 && ranks.allSatisfy { ($0["peak_memory_bytes"] as? Int ?? 0) > 0 })
    let strategies = try #require(plan["strategies"] as? [[String: Any]])
    let names = strategies.compactMap { $0["name"] as? String }
    #expect(names.starts(with: ["data 2", "data 2, ZeRO 1", "fsdp 2, ZeRO 3"]))
    // Each rank sends the gradients of all 227 parameters once, with the loss.
    let exchanges = try #require(plan["exchanges"] as? [[String: Any]])
    #expect(exchanges.count == 1 && exchanges[0]["kind"] as? String == "all-reduce")
    #expect(try #require(exchanges[0]["bytes"] as? Int) >= 228 * 4)
    let text = try Command.run(
      ["plan", "recipe.yaml", "--parallel", "--set", "parallel.axes={fsdp: 2}", "--set", "train.threads=1"],
      in: folder.url)
    #expect(text.status == 0, "\(text.errors)")
    for word in ["fsdp=2", "all-gather", "exchanges of a step", "ways of spreading", "of the optimizer"] {
      #expect(text.output.contains(word), "\(word): \(text.output)")
    }
    let uneven = try Command.run(
      ["plan", "recipe.yaml", "--ranks", "3", "--set", "parallel.axes={tensor: 3}"], in: folder.url)
    #expect(uneven.status == 2 && uneven.errorLines.count == 1)
    let line = uneven.errorLines.first ?? ""
    #expect(line.contains("the nearest way that 3 ranks can go is --set 'parallel="), "\(uneven.errors)")
  }

  @Test func mistakesAreNamed() throws {
    let folder = try prepared()
    for (arguments, word) in [
      (["plan"], "recipe"), (["plan", "recipe.yaml", "--memory", "lots"], "train.memory"),
      (["plan", "recipe.yaml", "--memory", "1KiB"], "train.memory"),
      (["plan", "gpt", "--memory", "lots"], "--memory"), (["plan", "recpe.yaml"], "recipe.yaml"),
    ] {
      let outcome = try Command.run(arguments, in: folder.url)
      #expect(outcome.status == 2)
      let line = outcome.errorLines.first ?? ""
      #expect(line.contains(word), "\(outcome.errors)")
    }
    try folder.write("ceilings.json", "{}")
    let spoilt = try Command.run(
      ["plan", "recipe.yaml"], in: folder.url, environment: ["PANDO_CALIBRATION": "ceilings.json"])
    #expect(spoilt.status == 2)
    let line = spoilt.errorLines.first ?? ""
    #expect(line.contains("--calibrate"), "\(spoilt.errors)")
  }
}
