import Foundation
import Pando
import PandoData

/// A standard amount of work, the same everywhere, by which machines and versions are compared.
public enum Workload: String, CaseIterable, Sendable {
  /// 784-512-512-10, batch 128, AdamW.
  case mlp
  /// ResNet-18 for images of 32×32 in ten classes, batch 64, SGD with momentum.
  case resnet18
  /// GPT with 6 layers of width 384 and 6 heads, context 256, vocabulary 65, batch 8, AdamW.
  case gpt

  /// The batch size unless another is asked for.
  public var batch: Int {
    switch self {
    case .mlp: 128
    case .resnet18: 64
    case .gpt: 8
    }
  }

  /// What it is measured in unless something else is asked for: small products gain nothing from 16 bits.
  public var precisions: [Recipe.Precision] { self == .mlp ? [.float32] : [.float32, .bf16] }

  /// Steps worth measuring.
  public var steps: Int { self == .mlp ? 200 : 10 }

  /// The recipe of the work; its data are made up.
  public func recipe(batch: Int, precision: Recipe.Precision, threads: Int) -> Recipe {
    var recipe = Recipe()
    recipe.name = rawValue
    recipe.seed = 1
    recipe.data.batch = batch
    recipe.train.steps = 1
    recipe.train.precision = precision
    recipe.train.threads = threads
    switch self {
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
  public func task(batch: Int) throws -> TrainingTask {
    switch self {
    case .mlp: try .madeUp(input: [784], classes: 10, count: batch)
    case .resnet18: try .madeUp(input: [3, 32, 32], classes: 10, count: batch)
    case .gpt: try .madeUpText(context: 256, vocabulary: 65, count: batch)
    }
  }
}

extension TrainingTask {
  static func madeUp(input: [Int], classes: Int, count: Int) throws -> TrainingTask {
    let size = input.reduce(1, *)
    let pixels = (0..<count * size).map { index in
      Float(Int32(truncatingIfNeeded: Philox.block(UInt64(index), stream: 1, step: 0, seed: 0)[0])) * 0x1p-30
    }
    let labels = (0..<count).map { Int32($0 % classes) }
    return try TrainingTask(
      .classification(classes: classes, names: nil),
      ArraySource([
        ("input", HostArray(pixels, shape: [count] + input)), ("target", HostArray(labels, shape: [count])),
      ]))
  }

  static func madeUpText(context: Int, vocabulary: Int, count: Int) throws -> TrainingTask {
    let tokens = (0..<count * context).map { index in
      Int32(Philox.block(UInt64(index), stream: 2, step: 0, seed: 0)[0] % UInt32(vocabulary))
    }
    let letters = String(String.UnicodeScalarView((0..<vocabulary).map { UnicodeScalar(UInt8(32 + $0)) }))
    return try TrainingTask(
      .language(TextVocabulary(unit: .character, of: letters)),
      ArraySource([
        ("input", HostArray(tokens, shape: [count, context])),
        ("target", HostArray(tokens.reversed(), shape: [count, context])),
      ]))
  }
}
