import Foundation
import Pando
import PandoData
import PandoTraining
import Testing

/// Ranks that share each batch, as threads of this process.
@Suite struct DataParallelTests {
  /// What every step of a run came to.
  private final class Figures: TrainingObserver {
    var steps: [StepRecord] = []
    func willStart(_ run: TrainingRun) {}
    func didStep(_ record: StepRecord, _ run: TrainingRun) { steps.append(record) }
    func didEvaluate(_ record: EvaluationRecord, _ run: TrainingRun) {}
    func didSave(step: Int, _ run: TrainingRun) {}
  }

  /// A rank's run.
  private struct Outcome {
    let losses: [Double]
    let norms: [Double]
    let evaluation: Double
    let digest: String
    let plan: RunPlan
    let sentBytes: [Int]
  }

  private static func train(
    _ recipe: Recipe, _ task: TrainingTask, ranks: Int, threads: Int = 1, device: String = "cpu"
  ) throws -> [Outcome] {
    try InProcessCommunicator.run(ranks) { communicator in
      let run = try TrainingRun(
        recipe, task: task, device: try Device(named: device, threads: threads), ranks: Ranks(communicator))
      let figures = Figures()
      _ = try Trainer(run, observers: [figures]).train()
      return Outcome(
        losses: figures.steps.map(\.loss), norms: figures.steps.map(\.gradientNorm),
        evaluation: run.lastEvaluation?.loss ?? .nan, digest: try run.weightsDigest(), plan: run.plan,
        sentBytes: figures.steps.map(\.sentBytes))
    }
  }

  private static func recipe(batch: Int) -> Recipe {
    var recipe = Recipe()
    recipe.name = "shared"
    recipe.seed = 3
    recipe.data.batch = batch
    recipe.train.steps = 4
    return recipe
  }

  private static func pointTask() throws -> TrainingTask {
    let count = 36
    let points = (0..<count * 5).map { Float(($0 * 2_654_435_761) % 1000) / 500 - 1 }
    return try TrainingTask(
      .classification(classes: 3, names: nil),
      ArraySource([
        ("input", HostArray(points, shape: [count, 5])),
        ("target", HostArray((0..<count).map { Int32($0 * $0 % 3) }, shape: [count])),
      ]))
  }

  private static func imageRecipe() -> Recipe {
    var recipe = recipe(batch: 10)
    var cnn = Recipe.Model.CNN()
    (cnn.channels, cnn.dense, cnn.dropout, cnn.batchNorm) = ([4, 8], 16, 0.2, true)
    recipe.model = .cnn(cnn)
    recipe.train.clipNorm = 0.5
    return recipe
  }

  /// Micro-batches, accumulation and ranks are ways to go through one global batch; the update is the same. The
  /// reference engine computes in Double, so that what differs is no more than the rounding of the sums.
  @Test(arguments: [
    (1, 12, 1), (1, 4, 3), (2, 12, 1), (3, 6, 2), (5, 12, 1), (4, 4, 3), (7, 12, 1), (5, 6, 2),
  ])
  func anySplitOfABatchGivesTheSameUpdate(ranks: Int, batch: Int, accumulate: Int) throws {
    func figures(_ ranks: Int, _ batch: Int, _ accumulate: Int) throws -> [Outcome] {
      var recipe = Self.recipe(batch: batch)
      recipe.train.accumulate = accumulate
      recipe.model = .mlp(
        {
          var mlp = Recipe.Model.MLP()
          mlp.hidden = [6]
          return mlp
        }())
      var rule = Recipe.Optimizer.SGD()
      (rule.momentum, rule.weightDecay) = (0.9, 0.01)
      recipe.train.optimizer.rule = .sgd(rule)
      recipe.train.optimizer.learningRate = 0.5
      recipe.train.clipNorm = 0.3
      recipe.train.clipValue = 0.2
      return try Self.train(recipe, Self.pointTask(), ranks: ranks, device: "reference")
    }
    let whole = try figures(1, 12, 1)[0]
    let split = try figures(ranks, batch, accumulate)
    #expect(whole.losses[3] < whole.losses[0])
    for outcome in split {
      for step in 0..<4 {
        #expect(abs(outcome.losses[step] - whole.losses[step]) < 1e-6 * whole.losses[step], "step \(step)")
        #expect(abs(outcome.norms[step] - whole.norms[step]) < 1e-6 * whole.norms[step], "step \(step)")
      }
      #expect(abs(outcome.evaluation - whole.evaluation) < 1e-6 * whole.evaluation)
      #expect(outcome.digest == split[0].digest)
    }
  }

  /// Places that count for nothing are spread unevenly, as in texts of unequal lengths: the update is the mean over all
  /// that count, however they fall to batches and ranks. In a task of one place a sample, some samples do not count.
  @Test(arguments: [(1, 4, 3), (2, 12, 1), (3, 4, 3), (5, 12, 1)])
  func everyPlaceThatCountsCountsTheSame(ranks: Int, batch: Int, accumulate: Int) throws {
    let count = 36
    let points = (0..<count * 5).map { Float(($0 * 2_654_435_761) % 1000) / 500 - 1 }
    let labels = (0..<count).map { number -> Int32 in
      let counts = number % 12 >= 5 && number % 7 != 0
      return counts ? Int32(number * number % 3) : -100
    }
    let task = try TrainingTask(
      .classification(classes: 3, names: nil),
      ArraySource([
        ("input", HostArray(points, shape: [count, 5])), ("target", HostArray(labels, shape: [count])),
      ]), ignoring: -100)
    func figures(_ ranks: Int, _ batch: Int, _ accumulate: Int, reproducible: Bool) throws -> Outcome {
      var recipe = Self.recipe(batch: batch)
      recipe.reproducible = reproducible
      recipe.data.shuffle = false
      recipe.train.accumulate = accumulate
      var mlp = Recipe.Model.MLP()
      mlp.hidden = [6]
      recipe.model = .mlp(mlp)
      recipe.train.optimizer.rule = .sgd(Recipe.Optimizer.SGD())
      recipe.train.optimizer.learningRate = 0.5
      recipe.train.clipValue = 0.2
      return try Self.train(recipe, task, ranks: ranks, device: "reference")[0]
    }
    let whole = try figures(1, 12, 1, reproducible: false)
    for reproducible in [false, true] {
      let split = try figures(ranks, batch, accumulate, reproducible: reproducible)
      for step in 0..<4 {
        #expect(abs(split.losses[step] - whole.losses[step]) < 1e-6 * whole.losses[step], "step \(step)")
        #expect(abs(split.norms[step] - whole.norms[step]) < 1e-6 * whole.norms[step], "step \(step)")
      }
      #expect(abs(split.evaluation - whole.evaluation) < 1e-6 * whole.evaluation)
    }
    // The first loss is that of chance over what counts; counting all places would make it smaller.
    #expect(whole.losses[0] > 0.9)
  }

  /// Unequal shares, batch norm, dropout, clipping, accumulation, 16-bit products: whatever it is, replicas stay equal,
  /// and the memory is what was planned.
  @Test(arguments: [(2, 1, Recipe.Precision.float32), (3, 2, .float32), (2, 2, .bf16)])
  func replicasStayTheSameBitForBit(ranks: Int, accumulate: Int, precision: Recipe.Precision) throws {
    var recipe = Self.imageRecipe()
    recipe.train.accumulate = accumulate
    recipe.train.precision = precision
    recipe.parallel.axes = [Recipe.Axis(name: "data", size: ranks)]
    let outcomes = try Self.train(recipe, imageTask(count: 48), ranks: ranks)
    #expect(Set(outcomes.map(\.digest)).count == 1)
    #expect(Set(outcomes.map(\.losses)).count == 1)
    for outcome in outcomes {
      #expect(outcome.plan.plannedBytes == outcome.plan.measuredBytes)
      // Several batches leave their gradients in a vector; those of one are added up inside its program.
      if accumulate > 1 {
        #expect(outcome.plan.accumulationBytes >= outcome.plan.parameters * 4)
      } else {
        #expect(outcome.plan.stepArenaBytes >= outcome.plan.parameters * 4)
      }
      // An all-reduce sends at least 2 (n - 1) / n of the gradients.
      let least = outcome.plan.parameters * 4 * 2 * (ranks - 1) / ranks
      #expect(outcome.sentBytes.allSatisfy { $0 >= least && $0 < least + 8192 })
    }
    let again = try Self.train(recipe, imageTask(count: 48), ranks: ranks)
    #expect(again[0].digest == outcomes[0].digest)
  }

  /// The running statistics are the mean of those of the ranks' samples: with shares that see the same samples as one
  /// rank does one after the other, the evaluation, which uses them, is the same.
  @Test func statisticsAreTheMeanOfTheRanks() throws {
    var recipe = Self.imageRecipe()
    guard case .cnn(var cnn) = recipe.model else { return }
    cnn.dropout = 0
    recipe.model = .cnn(cnn)
    recipe.train.steps = 1
    recipe.data.batch = 8
    recipe.data.shuffle = false
    // Both halves of the batch hold the same pictures, so each rank's statistics are those of the whole batch, but
    // for the variance's correction for small samples.
    let half = (0..<4 * 64).map { Float(($0 * 2_654_435_761) % 1000) / 1000 }
    let labels: [Int32] = [0, 1, 2, 0]
    let task = try TrainingTask(
      .classification(classes: 3, names: nil),
      ArraySource([
        ("input", HostArray(half + half, shape: [8, 1, 8, 8])),
        ("target", HostArray(labels + labels, shape: [8])),
      ]))
    let one = try Self.train(recipe, task, ranks: 1)[0]
    let two = try Self.train(recipe, task, ranks: 2)[0]
    #expect(abs(one.losses[0] - two.losses[0]) < 1e-5 * one.losses[0])
    #expect(abs(one.norms[0] - two.norms[0]) < 1e-4 * one.norms[0])
    #expect(abs(one.evaluation - two.evaluation) < 2e-3 * one.evaluation)
  }

  @Test func aBadStepEndsTheRunOnEveryRank() throws {
    var recipe = Self.imageRecipe()
    recipe.train.clipNorm = nil
    recipe.train.optimizer.learningRate = 1e38
    do {
      _ = try Self.train(recipe, imageTask(count: 48), ranks: 2)
      Issue.record("numbers that are not finite were accepted")
    } catch { #expect("\(error)".contains("not finite"), "\(error)") }
  }

  @Test func ranksThatDoNotFitAreRefused() throws {
    var recipe = Self.imageRecipe()
    recipe.data.batch = 2
    #expect(throws: RecipeError.self) { _ = try Self.train(recipe, imageTask(count: 48), ranks: 3) }
    recipe.data.batch = 10
    recipe.parallel.axes = [Recipe.Axis(name: "data", size: 3)]
    #expect(throws: RecipeError.self) { _ = try Self.train(recipe, imageTask(count: 48), ranks: 2) }
  }
}
