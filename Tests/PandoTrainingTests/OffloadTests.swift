import Foundation
import Pando
import PandoTestSupport
import PandoTraining
import Testing

/// Every kind of step with its state, its activations, or both in files ends with the same weights, bit for bit.
@Suite struct OffloadTests {
  private static func recipe() -> Recipe {
    var recipe = Recipe()
    recipe.name = "offloaded"
    recipe.seed = 3
    recipe.data.batch = 64
    var mlp = Recipe.Model.MLP()
    (mlp.hidden, mlp.dropout) = ([256, 256, 256, 256], 0.1)
    recipe.model = .mlp(mlp)
    recipe.train.steps = 3
    recipe.train.clipNorm = 0.5
    recipe.train.threads = 2
    return recipe
  }

  private static func train(_ recipe: Recipe, ranks: Int = 1) throws -> [(digest: String, plan: RunPlan)] {
    let folder = try FileMappings.diskFolder()
    defer { try? FileManager.default.removeItem(at: folder) }
    return try InProcessCommunicator.run(ranks) { communicator in
      let run = try TrainingRun(
        recipe, task: try imageTask(count: 256), device: try Device(named: "cpu", threads: 2),
        ranks: ranks == 1 ? .single : Ranks(communicator), scratch: folder)
      _ = try Trainer(run).train()
      guard try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty else {
        throw EngineError("a file was seen")
      }
      return (try run.weightsDigest(), run.plan)
    }
  }

  private static let kinds: [(name: String, ranks: Int, change: @Sendable (inout Recipe) -> Void)] = [
    ("whole", 1, { _ in }),
    ("accumulated", 1, { ($0.data.batch, $0.train.accumulate) = (32, 2) }),
    ("reproducible", 1, { $0.reproducible = true }),
    (
      "momentum", 1,
      {
        var rule = Recipe.Optimizer.SGD()
        rule.momentum = 0.9
        $0.train.optimizer.rule = .sgd(rule)
      }
    ),
    (
      "16 bits", 1,
      {
        var rule = Recipe.Optimizer.AdamW()
        rule.state = .bf16
        $0.train.optimizer.rule = .adamw(rule)
      }
    ),
    ("shared", 2, { _ in }),
    ("spread", 2, { $0.parallel.zero = 1 }),
  ]

  @Test(arguments: kinds.indices) func weightsAreTheSame(_ kind: Int) throws {
    let (name, ranks, change) = Self.kinds[kind]
    var recipe = Self.recipe()
    change(&recipe)
    let plain = try Self.train(recipe, ranks: ranks)
    for (state, activations) in [(true, false), (false, true), (true, true)] {
      (recipe.train.offload.state, recipe.train.offload.activations) = (state, activations)
      let other = try Self.train(recipe, ranks: ranks)
      #expect(other.map(\.digest) == plain.map(\.digest), "\(name)")
      for (other, plain) in zip(other, plain) {
        #expect(other.plan.measuredBytes == other.plan.plannedBytes, "\(name)")
        if state {
          #expect(other.plan.optimizerBytes < plain.plan.optimizerBytes / 4, "\(name)")
          #expect(other.plan.offloadedBytes >= plain.plan.optimizerBytes / 2, "\(name)")
          #expect(other.plan.plannedBytes < plain.plan.plannedBytes, "\(name)")
        }
      }
    }
  }

  /// A limit that memory cannot meet names what offloading would take, and that is what it takes.
  @Test func aLimitThatIsTooLowNamesOffloading() throws {
    var recipe = Self.recipe()
    recipe.checkpoint.background = false
    let task = try imageTask(count: 256)
    func planned() throws -> Int {
      try TrainingRun(recipe, task: task, device: .cpu, isPlan: true).plan.plannedBytes
    }
    recipe.train.memory = 1
    let least = try #require(throws: RecipeError.self) { _ = try planned() }
    #expect(least.keyPath == "train.memory" && least.message.contains("it would still need"))
    recipe.train.offload.state = true
    let both = try #require(throws: RecipeError.self) { _ = try planned() }
    let words = both.message.split(separator: " ")
    let needed = try #require(words.firstIndex(of: "needs").flatMap { Int(words[$0 + 1]) })
    recipe.train.offload.state = false
    recipe.train.memory = needed
    let offer = try #require(throws: RecipeError.self) { _ = try planned() }
    #expect(offer.message.contains("with train.offload: {state: true} it would take"), "\(offer)")
    recipe.train.offload.state = true
    #expect(try planned() <= needed)
  }
}
