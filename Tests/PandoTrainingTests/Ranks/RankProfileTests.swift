import Foundation
import Pando
import PandoData
import PandoTraining
import Testing

/// The timeline of a run of several ranks.
@Suite struct RankProfileTests {
  private struct Trace {
    let events: [[String: Any]]
    let spans: [Span]

    init(_ file: URL) throws {
      try #require(FileManager.default.fileExists(atPath: file.path))
      let object = try #require(
        try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
      events = try #require(object["traceEvents"] as? [[String: Any]])
      spans = try events.filter { $0["ph"] as? String == "X" }.map { event in
        let start = try #require(event["ts"] as? Double)
        return Span(
          name: try #require(event["name"] as? String), category: try #require(event["cat"] as? String),
          process: try #require(event["pid"] as? Int), row: try #require(event["tid"] as? Int), start: start,
          end: start + (try #require(event["dur"] as? Double)),
          details: event["args"] as? [String: String] ?? [:])
      }
    }
  }

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
    #expect(times.allSatisfy { $0?.means.count == 3 })

    let trace = try Trace(file)
    let (events, spans) = (trace.events, trace.spans)
    func names(_ kind: String, process: Int? = nil) -> [String] {
      events.filter { $0["name"] as? String == kind && (process == nil || $0["pid"] as? Int == process) }
        .compactMap { ($0["args"] as? [String: String])?["name"] }
    }
    #expect(names("process_name") == ["\(name): ranks", "rank 0", "rank 1", "rank 2"])
    #expect(names("thread_name", process: 1) == ["rank 0", "rank 1", "rank 2"])
    #expect(names("thread_name", process: 3).contains("communication"))
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

  /// Each stage of a pipeline has its bubble in its row, and says what it waited for.
  @Test func aPipelinesBubbleIsSeen() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appending(path: "trace.json")
    var recipe = SpreadTests.textRecipe()
    recipe.train.steps = 4
    recipe.parallel.axes = [Recipe.Axis(name: "pipeline", size: 2)]
    let trained = recipe
    _ = try InProcessCommunicator.run(2) { communicator in
      let ranks = Ranks(communicator)
      let run = try TrainingRun(
        trained, task: try SpreadTests.textTask(), device: .cpu.with(threads: 1), ranks: ranks)
      _ = try Trainer(run, profiler: TrainingProfiler(writingTo: file, ranks: ranks, warmUp: 1, steps: 2))
        .train()
    }
    let trace = try Trace(file)
    for rank in 0..<2 {
      let overview = trace.spans.filter { $0.process == 1 && $0.row == rank + 1 }
      let steps = overview.filter { $0.category == "step" }
      #expect(steps.count == 2)
      for step in steps {
        let bubbles = overview.filter {
          $0.name == "bubble" && $0.start >= step.start && $0.end <= step.end + 1
        }
        let told = try #require(step.details["bubble ms"].flatMap { Double($0) })
        let sum = bubbles.reduce(0) { $0 + $1.end - $1.start }
        #expect(!bubbles.isEmpty && abs(sum / 1000 - told) < 2e-3)
      }
      let waits = trace.spans.filter { $0.process == rank + 2 && $0.category == "bubble" }.map(\.name)
      #expect(waits.contains("wait for \(rank == 0 ? "gradients" : "activations") of micro-batch 0"))
    }
  }

  /// The sum of a gradient begins before the gradients of earlier layers are computed.
  @Test func gradientsAreAddedUpDuringTheBackwardPass() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appending(path: "trace.json")
    var recipe = Recipe()
    recipe.data.batch = 12
    // Matrices that are too large for one bucket.
    var mlp = Recipe.Model.MLP()
    mlp.hidden = [512, 512, 512]
    recipe.model = .mlp(mlp)
    recipe.train.steps = 3
    let trained = recipe
    _ = try InProcessCommunicator.run(2) { communicator in
      let ranks = Ranks(communicator)
      let run = try TrainingRun(
        trained, task: try imageTask(count: 24), device: .cpu.with(threads: 1), ranks: ranks)
      _ = try Trainer(run, profiler: TrainingProfiler(writingTo: file, ranks: ranks, warmUp: 1, steps: 1))
        .train()
    }
    let trace = try Trace(file)
    for rank in 0..<2 {
      let own = trace.spans.filter { $0.process == rank + 2 }
      let sums = own.filter { $0.name.hasPrefix("all-reduce of gradient of") }
      #expect(sums.count >= 2, "\(own.map(\.name))")
      let first = try #require(sums.map(\.start).min())
      let products = own.filter { $0.name.contains("contraction") }
      #expect(products.contains { $0.start > first }, "\(Set(own.map(\.name)).sorted())")
    }
  }
}
