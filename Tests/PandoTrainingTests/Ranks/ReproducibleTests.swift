import Foundation
import Pando
import PandoData
import PandoTraining
import Testing

/// Reproducible runs on ranks that are threads of this process.
@Suite struct ReproducibleTests {
  private static func imageRecipe() -> Recipe {
    var recipe = Recipe()
    recipe.name = "reproducible"
    recipe.seed = 3
    recipe.reproducible = true
    recipe.data.batch = 16
    var cnn = Recipe.Model.CNN()
    (cnn.channels, cnn.dense, cnn.dropout, cnn.batchNorm) = ([4, 8], 16, 0.2, true)
    recipe.model = .cnn(cnn)
    recipe.train.steps = 4
    recipe.train.clipNorm = 0.5
    return recipe
  }

  /// The digest of the weights and the last evaluation's loss after a run, on every rank.
  private static func train(_ recipe: Recipe, ranks: Int, threads: Int) throws -> [String] {
    try InProcessCommunicator.run(ranks) { communicator in
      let run = try TrainingRun(
        recipe, task: try imageTask(count: 48), device: try Device(named: "cpu", threads: threads),
        ranks: Ranks(communicator))
      _ = try Trainer(run).train()
      return "\(try run.weightsDigest()) \(run.lastLoss) \(run.lastEvaluation?.loss ?? .nan)"
    }
  }

  @Test func weightsAreTheSameOnAnyNumberOfRanks() throws {
    let alone = try Self.train(Self.imageRecipe(), ranks: 1, threads: 1)
    for (ranks, threads) in [(1, 2), (1, 3), (2, 1), (3, 1), (4, 2), (7, 1)] {
      let together = try Self.train(Self.imageRecipe(), ranks: ranks, threads: threads)
      #expect(Set(together) == Set(alone), "\(ranks) ranks of \(threads) threads")
    }
  }

  @Test func accumulatedStepsAreTheSameOnAnyNumberOfRanks() throws {
    var recipe = Self.imageRecipe()
    recipe.data.batch = 8
    recipe.train.accumulate = 3
    recipe.parallel.shards = 4
    let alone = try Self.train(recipe, ranks: 1, threads: 2)
    let together = try Self.train(recipe, ranks: 5, threads: 1)
    #expect(Set(together) == Set(alone))
  }

  /// Without batch norm and dropout, parts change nothing but the order of sums.
  @Test func partsGiveTheGradientOfTheWholeBatch() throws {
    var recipe = Self.imageRecipe()
    guard case .cnn(var cnn) = recipe.model else { return }
    (cnn.dropout, cnn.batchNorm) = (0, false)
    recipe.model = .cnn(cnn)
    func losses(reproducible: Bool) throws -> [Double] {
      recipe.reproducible = reproducible
      return try (1...4).map { steps in
        recipe.train.steps = steps
        let run = try TrainingRun(recipe, task: try imageTask(count: 48), device: .cpu)
        _ = try Trainer(run).train()
        return run.lastLoss
      }
    }
    let (parts, whole) = (try losses(reproducible: true), try losses(reproducible: false))
    for (part, whole) in zip(parts, whole) { #expect(abs(part - whole) < 1e-5 * abs(whole)) }
    #expect(whole[3] < whole[0])
  }

  @Test func tooManyRanksAreRefused() throws {
    var recipe = Self.imageRecipe()
    recipe.parallel.shards = 2
    do {
      _ = try Self.train(recipe, ranks: 3, threads: 1)
      Issue.record("three ranks of two parts were accepted")
    } catch { #expect("\(error)".contains("parallel.shards")) }
    recipe.parallel.shards = 3
    #expect(throws: RecipeError.self) { _ = try Self.train(recipe, ranks: 1, threads: 1) }
  }
}
