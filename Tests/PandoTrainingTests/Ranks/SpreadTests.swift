import Foundation
import Pando
import PandoData
import PandoTraining
import Synchronization
import Testing

/// Losses of the steps of a run, taken down as it goes.
private final class LossLog: TrainingObserver, Sendable {
  let losses = Mutex<[Double]>([])
  func willStart(_ run: TrainingRun) {}
  func didStep(_ record: StepRecord, _ run: TrainingRun) { losses.withLock { $0.append(record.loss) } }
  func didEvaluate(_ record: EvaluationRecord, _ run: TrainingRun) {}
  func didSave(step: Int, _ run: TrainingRun) {}
}

/// What layers tell of themselves in each step.
private final class FigureLog: TrainingObserver, Sendable {
  let figures = Mutex<[[String: Double]]>([])
  func didStep(_ record: StepRecord, _ run: TrainingRun) { figures.withLock { $0.append(record.figures) } }
}

/// Runs whose step is one program spread over ranks that are threads of this process.
@Suite struct SpreadTests {
  /// A way of spreading a run.
  struct Mesh: CustomStringConvertible, Sendable {
    let axes: [(name: String, size: Int)]
    var zero: Int?
    var ranks: Int { axes.reduce(1) { $0 * $1.size } }
    var description: String {
      axes.map { "\($0.name)=\($0.size)" }.joined(separator: " ") + (zero.map { " zero \($0)" } ?? "")
    }
  }

  static let meshes: [Mesh] = [
    Mesh(axes: [("data", 2), ("tensor", 2)]),
    Mesh(axes: [("data", 4)], zero: 1),
    Mesh(axes: [("data", 4)], zero: 2),
    Mesh(axes: [("fsdp", 4)]),
    Mesh(axes: [("data", 2), ("fsdp", 2)], zero: 3),
    Mesh(axes: [("data", 2), ("fsdp", 2), ("tensor", 2)]),
  ]

  static func textRecipe() -> Recipe {
    var recipe = Recipe()
    recipe.name = "spread"
    recipe.seed = 5
    recipe.data.context = 8
    recipe.data.batch = 8
    var gpt = Recipe.Model.GPT()
    (gpt.layers, gpt.width, gpt.heads, gpt.dropout) = (2, 16, 4, 0.1)
    recipe.model = .gpt(gpt)
    recipe.train.steps = 20
    recipe.train.optimizer.learningRate = 3e-3
    recipe.train.clipNorm = 1
    return recipe
  }

  static func textTask() throws -> TrainingTask {
    let (count, context) = (60, 8)
    var inputs: [Int32] = []
    var targets: [Int32] = []
    for sample in 0..<count {
      for place in 0..<context {
        let number = sample * (context + 1) + place
        inputs.append(Self.token(number))
        targets.append(Self.token(number + 1))
      }
    }
    return try TrainingTask(
      .language(TextVocabulary(unit: .character, of: "abcdefghijkl")),
      ArraySource([
        ("input", HostArray(inputs, shape: [count, context])),
        ("target", HostArray(targets, shape: [count, context])),
      ]))
  }

  private static func token(_ number: Int) -> Int32 {
    let value: Int = number * 7 + number / 9
    return Int32(value % 12)
  }

  /// What a rank has to tell of a run.
  struct Outcome: Sendable {
    let losses: [Double]
    let evaluation: Double
    let digest: String
  }

  static func train(
    _ recipe: Recipe, _ task: @escaping @Sendable () throws -> TrainingTask, ranks: Int
  ) throws -> [Outcome] {
    try InProcessCommunicator.run(ranks) { communicator in
      let run = try TrainingRun(
        recipe, task: try task(), device: .cpu.with(threads: 1), ranks: Ranks(communicator))
      let log = LossLog()
      _ = try Trainer(run, observers: [log]).train()
      return Outcome(
        losses: log.losses.withLock { $0 }, evaluation: run.lastEvaluation?.loss ?? .nan,
        digest: try run.weightsDigest())
    }
  }

  static func recipe(_ recipe: Recipe, on mesh: Mesh) -> Recipe {
    var recipe = recipe
    recipe.parallel.axes = mesh.axes.map { Recipe.Axis(name: $0.name, size: $0.size) }
    recipe.parallel.zero = mesh.zero
    return recipe
  }

  private func expectSame(
    _ recipe: Recipe, _ task: @escaping @Sendable () throws -> TrainingTask, _ mesh: Mesh
  )
    throws
  {
    let alone = try Self.train(recipe, task, ranks: 1)[0]
    let together = try Self.train(Self.recipe(recipe, on: mesh), task, ranks: mesh.ranks)
    #expect(Set(together.map(\.digest)).count == 1, "ranks differ")
    for outcome in together {
      #expect(outcome.losses.count == alone.losses.count)
      for (step, (a, b)) in zip(outcome.losses, alone.losses).enumerated() {
        #expect(abs(a - b) <= 1e-5 * abs(b), "step \(step + 1): \(a), alone \(b)")
      }
      #expect(abs(outcome.evaluation - alone.evaluation) <= 1e-5 * alone.evaluation)
    }
    #expect(alone.losses.last! < alone.losses[0])
  }

  @Test(arguments: meshes) func transformersLearnAsOnOneRank(_ mesh: Mesh) throws {
    try expectSame(Self.textRecipe(), Self.textTask, mesh)
  }

  /// Two and four ranks, with all that may be spread beside.
  static let expertMeshes: [Mesh] = [
    Mesh(axes: [("expert", 2)]), Mesh(axes: [("expert", 4)]),
    Mesh(axes: [("data", 2), ("expert", 2)], zero: 1),
    Mesh(axes: [("expert", 2), ("tensor", 2)]), Mesh(axes: [("fsdp", 2), ("expert", 2)]),
    Mesh(axes: [("expert", 2), ("sequence", 2)]),
  ]

  static func expertRecipe() -> Recipe {
    var recipe = Self.textRecipe()
    var gpt = Recipe.Model.GPT()
    (gpt.layers, gpt.width, gpt.heads, gpt.dropout) = (2, 16, 4, 0.1)
    gpt.experts = Recipe.Model.Experts()
    gpt.experts?.count = 4
    recipe.model = .gpt(gpt)
    return recipe
  }

  @Test(arguments: expertMeshes) func expertsLearnAsOnOneRank(_ mesh: Mesh) throws {
    try expectSame(Self.expertRecipe(), Self.textTask, mesh)
  }

  /// What experts tell of themselves is of the whole step, whoever computes which part of it.
  @Test func expertsTellTheSameHoweverTheyAreSpread() throws {
    struct Way {
      var axes: [(name: String, size: Int)] = []
      var ranks = 1
      var accumulate = 1
      var reproducible = false
    }
    func figures(_ way: Way) throws -> [[String: Double]] {
      var recipe = Self.expertRecipe()
      guard case .gpt(var gpt) = recipe.model else { return [] }
      gpt.dropout = 0
      recipe.model = .gpt(gpt)
      recipe.data.shuffle = false
      recipe.data.batch = 12 / way.accumulate
      recipe.train.accumulate = way.accumulate
      recipe.train.steps = 3
      recipe.reproducible = way.reproducible
      recipe.parallel.axes = way.axes.map { Recipe.Axis(name: $0.name, size: $0.size) }
      let final = recipe
      return try InProcessCommunicator.run(way.ranks) { communicator in
        let run = try TrainingRun(
          final, task: try Self.textTask(), device: .cpu.with(threads: 1),
          ranks: way.ranks == 1 ? .single : Ranks(communicator))
        let log = FigureLog()
        _ = try Trainer(run, observers: [log]).train()
        return log.figures.withLock { $0 }
      }[0]
    }
    let alone = try figures(Way())
    #expect(alone.count == 3)
    for step in alone {
      #expect(step.keys.sorted() == ["balance_loss", "dropped_share"])
      #expect((0.9...4).contains(step["balance_loss"] ?? 0) && (0..<1).contains(step["dropped_share"] ?? 1))
    }
    let ways = [
      Way(axes: [("expert", 2)], ranks: 2), Way(ranks: 2), Way(ranks: 5), Way(accumulate: 3),
      Way(ranks: 2, accumulate: 2), Way(reproducible: true), Way(ranks: 2, reproducible: true),
    ]
    for way in ways {
      for (step, other) in try zip(alone, figures(way)) {
        for (name, value) in step {
          #expect(abs((other[name] ?? .nan) - value) <= 1e-5 * max(1, value), "\(name) of \(way)")
        }
      }
    }
  }

  static let sequenceMeshes: [Mesh] = [
    Mesh(axes: [("sequence", 2)]), Mesh(axes: [("sequence", 4)]), Mesh(axes: [("sequence", 8)]),
    Mesh(axes: [("data", 2), ("sequence", 2)]), Mesh(axes: [("tensor", 2), ("sequence", 2)], zero: 0),
    Mesh(axes: [("fsdp", 2), ("sequence", 2)]),
  ]

  /// Eight ranks are more than heads, so that keys are gathered; rotary positions are those of the whole text.
  @Test(arguments: sequenceMeshes, [false, true]) func longTextsAreLearntAsOnOneRank(
    _ mesh: Mesh, _ rotary: Bool
  )
    throws
  {
    var recipe = Self.textRecipe()
    guard case .gpt(var gpt) = recipe.model else { return }
    gpt.rotary = rotary
    recipe.model = .gpt(gpt)
    try expectSame(recipe, Self.textTask, mesh)
  }

  @Test(arguments: [meshes[0], meshes[3]]) func classifiersLearnAsOnOneRank(_ mesh: Mesh) throws {
    let task: @Sendable () throws -> TrainingTask = { try imageTask(count: 50, side: 4) }
    var recipe = Self.textRecipe()
    recipe.data.context = nil
    recipe.train.steps = 10
    var mlp = Recipe.Model.MLP()
    (mlp.hidden, mlp.dropout) = ([16, 8], 0.2)
    recipe.model = .mlp(mlp)
    try expectSame(recipe, task, mesh)
  }

  @Test func convolutionsWithBatchNormLearnAsOnOneRank() throws {
    let task: @Sendable () throws -> TrainingTask = { try imageTask(count: 32) }
    var recipe = Self.textRecipe()
    recipe.data.context = nil
    recipe.train.steps = 6
    var cnn = Recipe.Model.CNN()
    (cnn.channels, cnn.dense, cnn.dropout, cnn.batchNorm) = ([4, 8], 16, 0.2, true)
    recipe.model = .cnn(cnn)
    try expectSame(recipe, task, Mesh(axes: [("fsdp", 2)]))
  }

  @Test func aSpreadStepCountsWhatItSends() throws {
    let recipe = Self.recipe(Self.textRecipe(), on: Self.meshes[0])
    let traffic = try InProcessCommunicator.run(4) { communicator in
      let run = try TrainingRun(
        recipe, task: try Self.textTask(), device: .cpu.with(threads: 1), ranks: Ranks(communicator))
      _ = try Trainer(run).train()
      return run.traffic
    }
    #expect(traffic.allSatisfy { $0.sentBytesPerStep > 0 && $0.exchangeShare < 1 })
  }

  /// What a rank keeps is what `shards` says, and the parts of all ranks make the whole.
  @Test func shardsTileTheState() throws {
    let mesh = Self.meshes[5]
    let recipe = Self.recipe(Self.textRecipe(), on: mesh)
    let shards = try InProcessCommunicator.run(mesh.ranks) { communicator in
      try TrainingRun(
        recipe, task: try Self.textTask(), device: .cpu.with(threads: 1), ranks: Ranks(communicator)
      ).shards!
    }[0]
    for entry in shards.entries {
      var covered = 0
      for rank in 0..<mesh.ranks where shards.savers(of: entry, rank: rank).first == rank {
        covered += try #require(shards.part(of: entry, rank: rank)).shape.reduce(1, *)
      }
      #expect(covered == entry.type.count, "\(entry.name)")
    }
    let up = shards.entries.first { $0.name == "blocks.0.mlp.up.weight" }
    #expect(up?.sharding.description == "[tensor*fsdp,_]")
  }

  /// Parameters, gradients and optimizer tensors of a rank, at the highest moment, by the plan.
  @Test(arguments: [8, 56]) func zeroThreeKeepsAQuarterOnFourRanks(_ batch: Int) throws {
    func plan(_ recipe: Recipe, ranks: Int) throws -> RunPlan {
      try InProcessCommunicator.run(ranks) { communicator in
        try TrainingRun(
          recipe, task: try Self.textTask(), device: .cpu.with(threads: 1), ranks: Ranks(communicator)
        ).plan
      }[0]
    }
    var recipe = Self.textRecipe()
    // With many samples activations are larger than weights, and an order that spares them must not gather all weights.
    recipe.data.batch = batch
    var gpt = Recipe.Model.GPT()
    (gpt.layers, gpt.width, gpt.heads) = (4, 32, 4)
    recipe.model = .gpt(gpt)
    let alone = try plan(recipe, ranks: 1)
    let parts = try plan(Self.recipe(recipe, on: Self.meshes[3]), ranks: 4)
    let whole = try #require(alone.statePeakBytes)
    let part = try #require(parts.statePeakBytes)
    // A block: 12 width² of weights and 13 width of biases and norms, in float32.
    let block = (12 * 32 * 32 + 13 * 32) * 4
    #expect(part <= whole / 4 + block, "\(part) bytes, one rank has \(whole)")
    #expect(
      parts.parameterBytes + parts.optimizerBytes <= (alone.parameterBytes + alone.optimizerBytes) / 4 + 4096)
  }
}

/// Recipes whose axes do not fit are refused before anything runs.
@Suite struct SpreadErrorTests {
  private func message(_ ranks: Int, _ change: (inout Recipe) -> Void) -> String {
    var recipe = SpreadTests.textRecipe()
    change(&recipe)
    let final = recipe
    do {
      _ = try SpreadTests.train(final, SpreadTests.textTask, ranks: ranks)
      return "no error"
    } catch { return "\(error)" }
  }

  private func axes(_ axes: (String, Int)...) -> [Recipe.Axis] {
    axes.map { Recipe.Axis(name: $0.0, size: $0.1) }
  }

  @Test func ranksMustFitTheAxes() {
    let text = message(3) { $0.parallel.axes = axes(("tensor", 2)) }
    #expect(text.contains("parallel.axes") && text.contains("--ranks 4"))
    let exact = message(3) { $0.parallel.axes = axes(("data", 2), ("tensor", 2)) }
    #expect(exact.contains("does not fit 3 ranks") && exact.contains("--ranks 4"))
  }

  @Test func axesMustBeKnown() {
    #expect(message(2) { $0.parallel.axes = axes(("tensr", 2)) }.contains("did you mean 'tensor'?"))
    #expect(
      message(4) { $0.parallel.axes = axes(("pipeline", 2), ("sequence", 2)) }.contains("does not go with"))
  }

  @Test func placesMustDivide() {
    let text = message(3) { $0.parallel.axes = axes(("sequence", 3)) }
    #expect(
      text.contains("parallel.axes.sequence") && text.contains("8 tokens") && text.contains("data.context 9"))
  }

  @Test func expertsMustBeThereAndDivide() {
    #expect(message(2) { $0.parallel.axes = axes(("expert", 2)) }.contains("no parameter of this model"))
    let uneven = message(8) {
      $0.model = SpreadTests.expertRecipe().model
      $0.parallel.axes = axes(("expert", 8))
    }
    #expect(uneven.contains("expert") && uneven.contains("4"))
  }

  @Test func namesMustBeTheModels() {
    let text = message(2) {
      $0.parallel.axes = axes(("tensor", 2))
      $0.parallel.names = [Recipe.NamedAxis(name: "mpl", axis: "tensor")]
    }
    #expect(text.contains("'mpl'") && text.contains("did you mean 'mlp'?"))
    let other = message(2) {
      $0.parallel.axes = axes(("tensor", 2))
      $0.parallel.names = [Recipe.NamedAxis(name: "mlp", axis: "tensors")]
    }
    #expect(other.contains("parallel.names.mlp") && other.contains("did you mean 'tensor'?"))
  }

  @Test func sizesMustDivide() {
    let text = message(5) { $0.parallel.axes = axes(("tensor", 5)) }
    #expect(text.contains("nearest sizes that do are"))
    let batch = message(2) {
      $0.parallel.axes = axes(("fsdp", 2))
      $0.data.batch = 7
    }
    #expect(batch.contains("data.batch") && batch.contains("6 and 8"))
  }

  @Test func whatASpreadStepCannotDoIsSaid() {
    let text = message(2) {
      $0.parallel.axes = axes(("tensor", 2))
      $0.reproducible = true
    }
    #expect(text.contains("reproducible"))
    let sums = message(2) {
      $0.parallel.axes = axes(("fsdp", 2))
      $0.train.accumulate = 2
    }
    #expect(sums.contains("train.accumulate"))
  }
}
