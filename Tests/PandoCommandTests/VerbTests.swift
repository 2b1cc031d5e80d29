import Foundation
import Testing

/// The small verbs.
@Suite(.serialized) struct VerbTests {
  private func output(_ arguments: String...) throws -> Command.Outcome {
    let folder = try TemporaryFolder()
    let outcome = try Command.run(arguments, in: folder.url)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return outcome
  }

  @Test func versionAndHelp() throws {
    #expect(try output("--version").output.contains("."))
    #expect(try output("--help").output.contains("train"))
    #expect(try output("train", "--help").output.contains("--resume"))
  }

  @Test func schemaIsJSON() throws {
    let schema = try output("schema").json
    #expect(schema["$schema"] != nil)
    #expect((schema["properties"] as? [String: Any])?["train"] != nil)
  }

  @Test func dataSetsAreListed() throws {
    let listed = try JSONSerialization.jsonObject(with: Data(output("data", "list", "--json").output.utf8))
    let names = (listed as? [[String: Any]])?.compactMap { $0["name"] as? String } ?? []
    #expect(Set(names).isSuperset(of: ["fashion-mnist", "digits", "bible-kjv"]))
    #expect(
      try output("data", "show", "digits").output.contains("1797")
        || output("data", "show", "digits").output.contains("1438"))
  }

  @Test func doctorLooksAtThisMachine() throws {
    let found = try JSONSerialization.jsonObject(with: Data(output("doctor", "--json").output.utf8))
    let names = (found as? [[String: Any]])?.compactMap { $0["name"] as? String } ?? []
    #expect(names.contains("processor") && names.contains("instructions"))
    let library = (found as? [[String: Any]])?.first { $0["name"] as? String == "oneDNN" }
    let detail = try #require(library?["detail"] as? String)
    let parts = try #require(
      detail.firstMatch(
        of: /^(\d+)\.\d+\.\d+, compiled for (\d+)\.\d+\.\d+, ([a-z0-9_]+), (with|without) Winograd/),
      "\(detail)")
    #expect(parts.1 == parts.2)
    // Version 3 has no convolutions by Winograd's method; version 2 has them for AVX-512.
    #expect((parts.4 == "with") == (parts.1 == "2" && parts.3.hasPrefix("avx512")))
  }

  @Test func doctorTellsTheInstructionSetInUse() throws {
    let folder = try TemporaryFolder()
    let found = try Command.run(["doctor"], in: folder.url, environment: ["PANDO_ISA": "sse2"])
    #if arch(x86_64)
    #expect(found.output.contains("sse41, without Winograd"), "\(found.output)")
    #endif
  }

  @Test func benchHasItsFigures() throws {
    let text = try output("bench", "--workload", "mlp", "--steps", "2", "--batch", "8", "--json").output
    let results = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
    #expect(results.count == 1)
    let keys = [
      "name", "precision", "threads", "step_ms", "step_ms_min", "gflops", "matmul_limit_gflops",
      "planned_memory_bytes", "peak_memory_bytes", "resident_bytes", "first_step_s",
      "empty_step_us",
    ]
    for key in keys { #expect(results.first?[key] != nil, "\(key) is missing") }
    #expect(results.first?["planned_memory_bytes"] as? Int == results.first?["peak_memory_bytes"] as? Int)
  }

  @Test func inferenceIsMeasuredToo() throws {
    let text = try output("bench", "mlp-1", "--steps", "2", "--json").output
    let results = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
    #expect(results.first?["mode"] as? String == "inference" && results.first?["batch"] as? Int == 1)
    #expect(results.first?["planned_memory_bytes"] as? Int == results.first?["peak_memory_bytes"] as? Int)
  }

  /// Every kernel is told of, and all of them together take about as long as steps do.
  @Test func benchExplainsThePlan() throws {
    let arguments = ["bench", "mlp", "--explain", "--steps", "3", "--batch", "8"]
    let folder = try TemporaryFolder()
    let text = try Command.run(arguments + ["--json"], in: folder.url).output
    let plan = try #require(
      (try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])?.first)
    let kernels = try #require(plan["kernels"] as? [[String: Any]])
    #expect(kernels.count > 5)
    let places = kernels.compactMap { $0["place"] as? Int }.sorted()
    #expect(places == Array(0..<kernels.count))
    let times = kernels.compactMap { $0["ms"] as? Double }
    #expect(times == times.sorted(by: >) && times.allSatisfy { $0 >= 0 })
    let products = kernels.compactMap { $0["kernel"] as? [String: Any] }.filter {
      $0["kind"] as? String == "contraction"
    }
    // Three layers, each with a product forward and one for its weights' gradient, and all but the first one more.
    let multiplications = 784 * 512 * 2 + 512 * 512 * 3 + 512 * 10 * 3
    let counted = products.compactMap { $0["flops"] as? Int }.reduce(0, +)
    #expect(counted == 2 * 8 * multiplications)
    let table = try output("bench", "mlp", "--explain", "--steps", "1", "--batch", "8").output
    #expect(table.contains("contraction") && table.contains("of limit"))
  }

  @Test func stepsAreDoneOnRequest() throws {
    let folder = try TemporaryFolder()
    try folder.write("lines", "2\n3\n")
    let outcome = try Command.run(
      ["bench", "mlp-1", "--on-request"], in: folder.url, shell: "exec <lines;")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = try outcome.output.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(lines.count == 3)
    let weights = 784 * 512 + 512 * 512 + 512 * 10
    #expect(lines[0]["parameters"] as? Int == weights + 512 + 512 + 10)
    #expect(lines[0]["product_flops"] as? Int == 2 * weights)
    #expect(lines[0]["first_step_s"] as? Double ?? -1 >= 0)
    #expect(lines.dropFirst().map { ($0["step_ms"] as? [Double])?.count } == [2, 3])
    try folder.write("lines", "many\n")
    let wrong = try Command.run(["bench", "mlp-1", "--on-request"], in: folder.url, shell: "exec <lines;")
    #expect(wrong.status == 2 && wrong.errorLines.count == 1)
  }

  @Test func completionsAreWritten() throws {
    for shell in ["bash", "zsh", "fish"] {
      #expect(try output("--generate-completion-script", shell).output.contains("pando"))
    }
  }

  @Test func checkpointsAreCheckedAndMerged() throws {
    let folder = try TemporaryFolder()
    try folder.writeTable()
    try folder.writeRecipe(steps: 20)
    try Command.run(["train", "recipe.yaml"], in: folder.url)
    let whole = try Command.run(["checkpoint", "check", "runs/small"], in: folder.url)
    #expect(whole.status == 0)
    #expect(whole.output.contains("step 10: whole, 1 shard") && whole.output.contains("step 20: whole"))
    let merged = try Command.run(
      ["checkpoint", "merge", "runs/small", "--out", "all.safetensors"], in: folder.url)
    #expect(merged.status == 0 && merged.output.hasPrefix("all.safetensors: step 20, "), "\(merged.errors)")
    let model = folder.url.appendingPathComponent("runs/small/checkpoints/step-20/model.safetensors")
    #expect(
      try Data(contentsOf: folder.url.appendingPathComponent("all.safetensors")) == Data(contentsOf: model))

    try FileManager.default.removeItem(at: model)
    let damaged = try Command.run(["checkpoint", "check", "runs/small", "--json"], in: folder.url)
    #expect(damaged.status == 0 && damaged.output.contains("model.safetensors is missing"))
    let fallen = try Command.run(["checkpoint", "merge", "runs/small"], in: folder.url)
    #expect(fallen.status == 0 && fallen.output.contains("step 10") && fallen.errors.contains("passed over"))
    let named = try Command.run(["checkpoint", "merge", "runs/small/checkpoints/step-20"], in: folder.url)
    #expect(named.status == 2 && named.errorLines.count == 1)
    #expect(
      named.errors.contains("model.safetensors is missing; use the checkpoint before it")
        && named.errors.contains("step-10"), "\(named.errors)")
    let other = try Command.run(["checkpoint", "merge", "recipe.yaml"], in: folder.url)
    #expect(other.status == 2 && other.errorLines.count == 1, "\(other.errors)")
  }
}
