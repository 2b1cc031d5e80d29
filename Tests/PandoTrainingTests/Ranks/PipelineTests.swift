import Foundation
import Pando
import PandoData
import PandoTraining
import Testing

/// Runs whose network is cut into stages, on ranks that are threads of this process.
@Suite struct PipelineTests {
  /// A way of cutting a run.
  struct Way: CustomStringConvertible, Sendable {
    let axes: [(name: String, size: Int)]
    var schedule = PipelineSchedule.oneForwardOneBackward
    var microBatches = 4
    var chunks = 1
    var zero: Int?
    var ranks: Int { axes.reduce(1) { $0 * $1.size } }
    var description: String {
      axes.map { "\($0.name)=\($0.size)" }.joined(separator: " ")
        + " \(schedule.rawValue) \(microBatches) × \(chunks)" + (zero.map { " zero \($0)" } ?? "")
    }
  }

  static let ways: [Way] = [
    Way(axes: [("pipeline", 2)], schedule: .gpipe),
    Way(axes: [("pipeline", 2)], microBatches: 8),
    Way(axes: [("pipeline", 2)], chunks: 2),
    Way(axes: [("pipeline", 4)], schedule: .gpipe),
    Way(axes: [("pipeline", 4)]),
    Way(axes: [("pipeline", 4)], microBatches: 8, chunks: 2),
    // More stages than micro-batches.
    Way(axes: [("pipeline", 4)], microBatches: 2),
  ]

  private static func recipe(_ recipe: Recipe, _ way: Way) -> Recipe {
    var recipe = SpreadTests.recipe(recipe, on: SpreadTests.Mesh(axes: way.axes, zero: way.zero))
    recipe.parallel.pipeline.schedule = way.schedule
    recipe.parallel.pipeline.microBatches = way.microBatches
    recipe.parallel.pipeline.chunks = way.chunks
    return recipe
  }

  private static func textRecipe(steps: Int, layers: Int, tied: Bool = true, dropout: Double = 0) -> Recipe {
    var recipe = SpreadTests.textRecipe()
    var gpt = Recipe.Model.GPT()
    (gpt.layers, gpt.width, gpt.heads, gpt.dropout, gpt.tied) = (layers, 16, 4, dropout, tied)
    recipe.model = .gpt(gpt)
    recipe.train.steps = steps
    return recipe
  }

  private func expectSame(
    _ alone: SpreadTests.Outcome, _ recipe: Recipe, ranks: Int,
    on task: @escaping @Sendable () throws -> TrainingTask
  ) throws {
    let together = try SpreadTests.train(recipe, task, ranks: ranks)
    #expect(Set(together.map(\.digest)).count == 1, "ranks differ")
    for outcome in together {
      #expect(outcome.losses.count == alone.losses.count)
      for (step, (a, b)) in zip(outcome.losses, alone.losses).enumerated() {
        #expect(abs(a - b) <= 1e-5 * abs(b), "step \(step + 1): \(a), alone \(b)")
      }
      #expect(abs(outcome.evaluation - alone.evaluation) <= 1e-5 * alone.evaluation)
    }
  }

  @Test(arguments: ways) func everyScheduleLearnsAsOneRank(_ way: Way) throws {
    let recipe = Self.textRecipe(steps: 6, layers: 6)
    let alone = try SpreadTests.train(recipe, SpreadTests.textTask, ranks: 1)[0]
    try expectSame(alone, Self.recipe(recipe, way), ranks: way.ranks, on: SpreadTests.textTask)
  }

  @Test(arguments: [true, false]) func tensorPipelineAndDataLearnAsOneRank(_ tied: Bool) throws {
    let recipe = Self.textRecipe(steps: 20, layers: 2, tied: tied)
    let way = Way(axes: [("data", 2), ("pipeline", 2), ("tensor", 2)])
    let alone = try SpreadTests.train(recipe, SpreadTests.textTask, ranks: 1)[0]
    try expectSame(alone, Self.recipe(recipe, way), ranks: 8, on: SpreadTests.textTask)
    #expect(alone.losses.last! < alone.losses[0])
  }

  @Test func stateInPartsInsideStagesLearnsAsOneRank() throws {
    let recipe = Self.textRecipe(steps: 6, layers: 2)
    let way = Way(axes: [("pipeline", 2), ("fsdp", 2)])
    let alone = try SpreadTests.train(recipe, SpreadTests.textTask, ranks: 1)[0]
    try expectSame(alone, Self.recipe(recipe, way), ranks: 4, on: SpreadTests.textTask)
  }

  /// Micro-batches draw as batches that one rank accumulates.
  @Test(arguments: [Recipe.Recompute.none, .blocks])
  func dropoutIsThatOfAccumulation(_ recompute: Recipe.Recompute) throws {
    let recipe = Self.textRecipe(steps: 6, layers: 2, dropout: 0.2)
    var accumulated = recipe
    (accumulated.data.batch, accumulated.train.accumulate) = (2, 4)
    let alone = try SpreadTests.train(accumulated, SpreadTests.textTask, ranks: 1)[0]
    var cut = Self.recipe(recipe, Way(axes: [("pipeline", 2)]))
    cut.train.recompute = recompute
    try expectSame(alone, cut, ranks: 2, on: SpreadTests.textTask)
  }

  /// Running statistics, which each micro-batch changes.
  @Test func batchNormIsThatOfAccumulation() throws {
    let task: @Sendable () throws -> TrainingTask = { try imageTask(count: 32) }
    var recipe = SpreadTests.textRecipe()
    recipe.data.context = nil
    recipe.train.steps = 4
    var cnn = Recipe.Model.CNN()
    (cnn.channels, cnn.dense, cnn.dropout, cnn.batchNorm) = ([4, 8], 16, 0, true)
    recipe.model = .cnn(cnn)
    var accumulated = recipe
    (accumulated.data.batch, accumulated.train.accumulate) = (4, 2)
    let alone = try SpreadTests.train(accumulated, task, ranks: 1)[0]
    let way = Way(axes: [("pipeline", 2)], microBatches: 2)
    try expectSame(alone, Self.recipe(recipe, way), ranks: 2, on: task)
  }

  /// Ranks of a stage add up gradients once in a step, however many micro-batches it has; only the loss is told for each.
  @Test(arguments: [nil, 1] as [Int?]) func gradientsAreExchangedOnceAStep(_ zero: Int?) throws {
    func sentBytes(_ microBatches: Int) throws -> [Double] {
      var recipe = Self.textRecipe(steps: 3, layers: 2)
      recipe.data.batch = 16
      let way = Way(
        axes: [("data", 2), ("pipeline", 2)], microBatches: microBatches, zero: zero)
      let spread = Self.recipe(recipe, way)
      return try InProcessCommunicator.run(4) { communicator in
        let run = try TrainingRun(
          spread, task: try SpreadTests.textTask(), device: .cpu.with(threads: 1), ranks: Ranks(communicator))
        _ = try Trainer(run).train()
        return run.traffic.sentBytesPerStep
      }
    }
    for (few, many) in try zip(sentBytes(2), sentBytes(8)) {
      #expect(few > 4096 && abs(many - few) <= 6 * 8, "\(few) bytes in 2 micro-batches, \(many) in 8")
    }
  }

  /// The bubble is measured in every step, the same for all ranks of a line of stages.
  @Test func theBubbleIsMeasured() throws {
    let recipe = Self.recipe(
      Self.textRecipe(steps: 5, layers: 2), Way(axes: [("pipeline", 2)], microBatches: 4))
    let bubbles = try InProcessCommunicator.run(2) { communicator in
      let run = try TrainingRun(
        recipe, task: try SpreadTests.textTask(), device: .cpu.with(threads: 1), ranks: Ranks(communicator))
      #expect(run.bubble != nil && run.bubble?.measured == nil)
      _ = try Trainer(run).train()
      return run.bubble
    }
    for bubble in bubbles {
      #expect(bubble?.formula == 0.25)
      #expect(bubble?.measured ?? 0 > 0)
      #expect(bubble?.measured == bubbles[0]?.measured)
    }
    let alone = try TrainingRun(
      Self.textRecipe(steps: 1, layers: 2), task: try SpreadTests.textTask(), device: .cpu.with(threads: 1))
    #expect(alone.bubble == nil)
  }

  /// A stage holds its own layers alone, and fewer activations one forward, one backward than with all forward first.
  @Test func aStageHoldsItsPart() throws {
    func plans(_ recipe: Recipe, ranks: Int) throws -> [RunPlan] {
      try InProcessCommunicator.run(ranks) { communicator in
        try TrainingRun(
          recipe, task: try SpreadTests.textTask(), device: .cpu.with(threads: 1), ranks: Ranks(communicator)
        ).plan
      }
    }
    let recipe = Self.textRecipe(steps: 1, layers: 4, tied: false)
    let whole = try plans(recipe, ranks: 1)[0]
    let one = try plans(Self.recipe(recipe, Way(axes: [("pipeline", 2)], microBatches: 8)), ranks: 2)
    let all = try plans(
      Self.recipe(recipe, Way(axes: [("pipeline", 2)], schedule: .gpipe, microBatches: 8)), ranks: 2)
    #expect(one.reduce(0) { $0 + $1.parameterBytes } == whole.parameterBytes)
    #expect(one.allSatisfy { $0.parameterBytes < whole.parameterBytes * 2 / 3 })
    #expect(zip(one, all).allSatisfy { $0.accumulationBytes < $1.accumulationBytes })
  }

  private func message(_ change: (inout Recipe) -> Void) -> String {
    var recipe = Self.textRecipe(steps: 1, layers: 2)
    recipe.parallel.axes = [Recipe.Axis(name: "pipeline", size: 2)]
    change(&recipe)
    let final = recipe
    let ranks = recipe.parallel.axes.reduce(1) { $0 * $1.size }
    do {
      _ = try SpreadTests.train(final, SpreadTests.textTask, ranks: ranks)
      return "no error"
    } catch { return "\(error)" }
  }

  @Test func whatDoesNotFitIsSaid() {
    let deep = message { $0.parallel.axes = [Recipe.Axis(name: "pipeline", size: 8)] }
    #expect(
      deep.contains("parallel.axes.pipeline") && deep.contains("blocks.1") && deep.contains("at most 6"))
    let uneven = message { $0.parallel.pipeline.microBatches = 3 }
    #expect(uneven.contains("parallel.pipeline.micro-batches") && uneven.contains("2 and 4"))
    let rounds = message {
      $0.parallel.pipeline.microBatches = 1
      $0.parallel.pipeline.chunks = 2
    }
    #expect(rounds.contains("multiple of the 2 stages") && rounds.contains("that do are 2"))
    let names = message { $0.parallel.names = [Recipe.NamedAxis(name: "mlp", axis: "pipeline")] }
    #expect(names.contains("parallel.names.mlp"))
  }
}
