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
    #expect(names.contains("oneDNN") && names.contains("processor") && names.contains("instructions"))
  }

  @Test func benchHasItsFigures() throws {
    let text = try output("bench", "--workload", "mlp", "--steps", "2", "--batch", "8", "--json").output
    let results = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
    #expect(results.count == 1)
    let keys = [
      "name", "precision", "threads", "step_ms", "step_ms_min", "gflops", "matmul_limit_gflops",
      "planned_memory_bytes", "peak_memory_bytes", "resident_bytes", "first_step_s",
    ]
    for key in keys { #expect(results.first?[key] != nil, "\(key) is missing") }
    #expect(results.first?["planned_memory_bytes"] as? Int == results.first?["peak_memory_bytes"] as? Int)
  }

  @Test func completionsAreWritten() throws {
    for shell in ["bash", "zsh", "fish"] {
      #expect(try output("--generate-completion-script", shell).output.contains("pando"))
    }
  }
}
