import Foundation
import Pando
import PandoData

/// An amount of work that is measured: a standard one, the same everywhere, by which machines and versions are compared,
/// or a recipe's training steps.
public struct Workload: Sendable {
  /// The network.
  public enum Model: String, Sendable {
    /// 784-512-512-10; trained with AdamW.
    case mlp
    /// ResNet-18 for images of 32×32 in ten classes; trained with SGD with momentum.
    case resnet18
    /// GPT with 6 layers of width 384 and 6 heads, context 256, vocabulary 65; trained with AdamW.
    case gpt
  }

  /// What is done with it.
  public enum Mode: String, Sendable {
    /// Whole training steps, optimizer included.
    case training
    /// Forward passes in evaluation mode.
    case inference
  }

  /// What is trained or evaluated, on what.
  private enum Work: Sendable {
    case standard(Model)
    case recipe(Recipe, @Sendable () throws -> TrainingTask)
  }

  /// The name that users know it by: `gpt` for training, `gpt-1` for inference on batches of 1; or the recipe's.
  public let name: String
  private let work: Work
  /// What is done with it.
  public let mode: Mode
  /// Samples in a step.
  public var batch: Int
  /// Steps worth measuring.
  public let steps: Int

  /// What it is measured in unless something else is asked for: small products gain nothing from 16 bits.
  public var precisions: [Recipe.Precision] {
    switch work {
    case .recipe(let recipe, _): [recipe.train.precision]
    case .standard(.mlp): [.float32]
    case .standard: mode == .training ? [.float32, .bf16] : [.float32]
    }
  }

  private init(training model: Model, batch: Int, steps: Int) {
    (work, self.batch, self.steps, mode, name) = (.standard(model), batch, steps, .training, model.rawValue)
  }

  /// Training steps of a recipe, on the first batch of its data.
  ///
  /// - Parameter task: opens the data.
  public init(_ recipe: Recipe, task: @escaping @Sendable () throws -> TrainingTask) {
    (work, batch, steps, mode, name) = (.recipe(recipe, task), recipe.data.batch, 10, .training, recipe.name)
  }

  private init(inference model: Model, batch: Int, steps: Int) {
    (work, self.batch, self.steps, mode) = (.standard(model), batch, steps, .inference)
    name = "\(model.rawValue)-\(batch)"
  }

  /// Training of the MLP on batches of 128.
  public static let mlp = Workload(training: .mlp, batch: 128, steps: 200)
  /// Training of the residual network on batches of 64.
  public static let resnet18 = Workload(training: .resnet18, batch: 64, steps: 10)
  /// Training of the language model on batches of 8.
  public static let gpt = Workload(training: .gpt, batch: 8, steps: 10)

  /// All there are.
  public static let all: [Workload] = [
    mlp, resnet18, gpt,
    Workload(inference: .mlp, batch: 1, steps: 2000),
    Workload(inference: .resnet18, batch: 1, steps: 100),
    Workload(inference: .resnet18, batch: 64, steps: 10),
    Workload(inference: .gpt, batch: 1, steps: 30),
  ]

  /// How many threads a recipe asks for.
  public var threads: Int? {
    if case .recipe(let recipe, _) = work { recipe.train.threads } else { nil }
  }

  /// The recipe of the work; a standard one's data are made up.
  public func recipe(precision: Recipe.Precision, threads: Int) -> Recipe {
    switch work {
    case .standard(let model): return standard(model, precision, threads)
    case .recipe(var recipe, _):
      (recipe.data.batch, recipe.train.precision, recipe.train.threads) = (batch, precision, threads)
      return recipe
    }
  }

  private func standard(_ model: Model, _ precision: Recipe.Precision, _ threads: Int) -> Recipe {
    var recipe = Recipe()
    recipe.name = name
    recipe.seed = 1
    recipe.data.batch = batch
    recipe.train.steps = 1
    recipe.train.precision = precision
    recipe.train.threads = threads
    switch model {
    case .mlp: recipe.model = .mlp(Recipe.Model.MLP())
    case .resnet18:
      recipe.model = .resnet(Recipe.Model.ResNet())
      var rule = Recipe.Optimizer.SGD()
      (rule.momentum, rule.weightDecay) = (0.9, 5e-4)
      recipe.train.optimizer.rule = .sgd(rule)
      recipe.train.optimizer.learningRate = 0.1
    case .gpt:
      var gpt = Recipe.Model.GPT()
      (gpt.layers, gpt.width, gpt.heads, gpt.tied) = (6, 384, 6, false)
      recipe.model = .gpt(gpt)
      recipe.data.context = 256
    }
    return recipe
  }

  /// A standard work's made-up samples, enough for one batch, or the recipe's data.
  public func task() throws -> TrainingTask {
    switch work {
    case .standard(.mlp): try .madeUp(input: [784], classes: 10, count: batch)
    case .standard(.resnet18): try .madeUp(input: [3, 32, 32], classes: 10, count: batch)
    case .standard(.gpt): try .madeUpText(context: 256, vocabulary: 65, count: batch)
    case .recipe(_, let task): try task()
    }
  }
}
