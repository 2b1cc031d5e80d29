import Foundation
import Pando
import PandoData
import PandoTraining
import Testing

/// The timeline of a run of several ranks.
@Suite struct RankProfileTests {
  private struct Span {
    let name: String, category: String
    let process: Int, row: Int
    let start: Double, end: Double
    let details: [String: String]
  }

  @Test func itHasARowForEachRank() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appending(path: "trace.json")
    let count = 24
    let pixels = (0..<count * 8).map { Float(($0 * 2_654_435_761) % 1000) / 1000 }
    let source = try ArraySource([
      ("input", HostArray(pixels, shape: [count, 8])),
      ("target", HostArray((0..<count).map { Int32($0 % 3) }, shape: [count])),
    ])
    var recipe = Recipe()
    recipe.reproducible = true
    recipe.data.batch = 12
    recipe.model = .mlp(Recipe.Model.MLP())
    recipe.train.steps = 5
    let (name, trained) = (recipe.name, recipe)
    let times = try InProcessCommunicator.run(3) { communicator in
      let ranks = Ranks(communicator)
      let run = try TrainingRun(
        trained, task: try TrainingTask(.classification(classes: 3, names: nil), source),
        device: try Device(named: "cpu", threads: 1), ranks: ranks)
      _ = try Trainer(run, profiler: TrainingProfiler(writingTo: file, ranks: ranks, warmUp: 1, steps: 2))
        .train()
      return run.rankTimes
    }
    try #require(FileManager.default.fileExists(atPath: file.path))
    #expect(times.allSatisfy { $0?.means.count == 3 })

    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    let events = try #require(object["traceEvents"] as? [[String: Any]])
    func names(_ kind: String, process: Int? = nil) -> [String] {
      events.filter { $0["name"] as? String == kind && (process == nil || $0["pid"] as? Int == process) }
        .compactMap { ($0["args"] as? [String: String])?["name"] }
    }
    #expect(names("process_name") == ["\(name): ranks", "rank 0", "rank 1", "rank 2"])
    #expect(names("thread_name", process: 1) == ["rank 0", "rank 1", "rank 2"])
    #expect(names("thread_name", process: 3).contains("communication"))
    let spans = try events.filter { $0["ph"] as? String == "X" }.map { event in
      let start = try #require(event["ts"] as? Double)
      return Span(
        name: try #require(event["name"] as? String), category: try #require(event["cat"] as? String),
        process: try #require(event["pid"] as? Int), row: try #require(event["tid"] as? Int), start: start,
        end: start + (try #require(event["dur"] as? Double)),
        details: event["args"] as? [String: String] ?? [:])
    }
    for rank in 0..<3 {
      let own = spans.filter { $0.process == rank + 2 }
      let exchanges = own.filter { $0.category == "communication" }
      #expect(exchanges.count { $0.name == "all-to-all of gradient sums" } == 2)
      #expect(exchanges.allSatisfy { Int($0.details["bytes"] ?? "") != nil })
      let overview = spans.filter { $0.process == 1 && $0.row == rank + 1 }
      let steps = overview.filter { $0.category == "step" }
      #expect(steps.map(\.name) == ["step 2", "step 3"])
      for step in steps {
        let parts = overview.filter {
          $0.category != "step" && $0.start >= step.start - 1e-3 && $0.end <= step.end + 1e-3
        }
        // Each moment is one of the three; their sums are told with the step.
        #expect(zip(parts, parts.dropFirst()).allSatisfy { $0.end <= $1.start + 1e-3 })
        for kind in ["compute", "communication", "overlap"] {
          let sum = parts.filter { $0.name == kind }.reduce(0) { $0 + $1.end - $1.start }
          let told = try #require(step.details["\(kind) ms"].flatMap { Double($0) })
          #expect(abs(sum / 1000 - told) < 2e-3)
        }
        #expect(parts.contains { $0.name == "compute" } && parts.contains { $0.name == "communication" })
      }
    }
  }
}
