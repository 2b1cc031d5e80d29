import Foundation
import Pando
import PandoData

/// A standard amount of work, the same everywhere, by which machines and versions are compared.
public struct Workload: Hashable, Sendable {
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

  /// The name that users know it by: `gpt` for training, `gpt-1` for inference on batches of 1.
  public let name: String
  /// The network.
  public let model: Model
  /// What is done with it.
  public let mode: Mode
  /// Samples in a step.
  public var batch: Int
  /// Steps worth measuring.
  public let steps: Int

  /// What it is measured in unless something else is asked for: small products gain nothing from 16 bits.
  public var precisions: [Recipe.Precision] {
    mode == .training && model != .mlp ? [.float32, .bf16] : [.float32]
  }

  private init(training model: Model, batch: Int, steps: Int) {
    (self.model, self.batch, self.steps, mode, name) = (model, batch, steps, .training, model.rawValue)
  }

  private init(inference model: Model, batch: Int, steps: Int) {
    (self.model, self.batch, self.steps, mode) = (model, batch, steps, .inference)
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

  /// The recipe of the work; its data are made up.
  public func recipe(precision: Recipe.Precision, threads: Int) -> Recipe {
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

  /// Made-up samples, enough for one batch.
  public func task() throws -> TrainingTask {
    switch model {
    case .mlp: try .madeUp(input: [784], classes: 10, count: batch)
    case .resnet18: try .madeUp(input: [3, 32, 32], classes: 10, count: batch)
    case .gpt: try .madeUpText(context: 256, vocabulary: 65, count: batch)
    }
  }
}
