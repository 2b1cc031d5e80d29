import Foundation
import PandoIR
import PandoTraining
import Testing

/// The recipe of the design, which is the contract.
let contract = """
  name: bible-char
  seed: 1
  reproducible: false            # true: bit-identical weights on any number of ranks
  data: {source: bible-kjv, unit: character, context: 256, batch: 32}
  model: {kind: gpt, layers: 4, width: 128, heads: 4}
  objective: {metric: bits-per-character, target: 1.9}
  train:
    epochs: 3                    # or steps: 2000
    optimizer: {kind: adamw, learning-rate: 1e-3, weight-decay: 0.1}
    schedule: {kind: cosine, warmup: 100}
    clip-norm: 1.0
    precision: float32           # bf16 | exact
    memory: 8GiB                 # recompute activations to fit; absent: no limit
    threads: 2
  parallel: {axes: {data: 2}}    # absent: data over --ranks
  checkpoint: {every: 500, keep: 2}
  """

/// A small recipe for tests to spoil.
let small = """
  name: small
  data: {source: digits}
  model: {kind: mlp}
  train:
    steps: 100
    optimizer: {kind: sgd, momentum: 0.9}
  """

@Test func contractRecipeIsRead() throws {
  let recipe = try Recipe(yaml: contract)
  #expect(recipe.name == "bible-char")
  #expect(recipe.seed == 1)
  #expect(recipe.data.unit == .character)
  #expect(recipe.data.context == 256)
  #expect(recipe.data.prefetch == 4)
  #expect(recipe.data.shuffle)
  guard case .gpt(let model) = recipe.model else {
    Issue.record("not a GPT")
    return
  }
  #expect(model.layers == 4 && model.width == 128 && model.heads == 4 && model.tied)
  #expect(recipe.objective.metric == .bitsPerCharacter)
  #expect(recipe.objective.target == 1.9)
  #expect(recipe.train.epochs == 3)
  #expect(recipe.train.steps == nil)
  #expect(recipe.train.optimizer.learningRate == 1e-3)
  #expect(recipe.train.optimizer.weightDecay == 0.1)
  guard case .cosine(let decay) = recipe.train.schedule.course else {
    Issue.record("not a cosine")
    return
  }
  #expect(decay.final == 0)
  #expect(recipe.train.schedule.warmup == 100)
  #expect(recipe.train.memory == 8 << 30)
  #expect(recipe.train.threads == 2)
  #expect(recipe.parallel.axes == [Recipe.Axis(name: "data", size: 2)])
  #expect(recipe.checkpoint.every == 500)
}

@Test func absentKeysHaveDefaults() throws {
  let recipe = try Recipe(yaml: small)
  #expect(recipe.objective.metric == .accuracy)
  #expect(recipe.train.accumulate == 1)
  #expect(recipe.train.precision == .float32)
  #expect(recipe.data.normalize == .off)
  #expect(recipe.checkpoint.keep == 2)
  guard case .sgd(let rule) = recipe.train.optimizer.rule else {
    Issue.record("not SGD")
    return
  }
  #expect(rule.momentum == 0.9 && rule.weightDecay == 0)
  let plain = try Recipe(
    yaml: "{data: {source: d}, model: {kind: mlp}, train: {epochs: 1}}", defaultName: "file")
  #expect(plain.name == "file")
  #expect(plain.train.optimizer == Recipe.Optimizer())
}

@Test(arguments: [
  contract, small,
  """
  name: all-7
  seed: 9223372036854775807
  reproducible: true
  data:
    source: "data: a, b/#1"
    batch: 1e2
    shuffle: false
    validation: 0.25
    normalize: {mean: [0.5, 1, -2e-3], std: [1, 2.5, 1e-7]}
    augment: {crop: 4, flip: true}
    label: "true"
  model: {kind: resnet, depth: 50, form: imagenet, width: 32}
  objective: {metric: loss, target: 1e-300, patience: 3}
  train: {steps: 5, optimizer: {kind: adam, beta2: 0.95}, schedule: {kind: step, every: 2}, memory: 1500,
    label-smoothing: 0.1, evaluate: {every: 2}}
  parallel: {axes: {pipeline: 2, data: 4}}
  """,
  """
  name: b
  data: {source: x, validation: held out, normalize: true}
  model: {kind: vit, patch: 7, width: 96, heads: 3, dropout: 0.1}
  train: {epochs: 2, schedule: {kind: one-cycle, final: 0.5}, clip-value: 3, precision: bf16}
  """,
  """
  name: c
  data: {source: x}
  model: {kind: cnn, channels: [8], batch-norm: true}
  train: {epochs: 2, schedule: {kind: linear, final: 0.1}, precision: exact}
  """,
  """
  name: d
  data: {source: x, context: 8, unit: byte}
  model: {kind: gpt, kv-heads: 2, rotary: true, tied: false}
  train: {epochs: 2, accumulate: 3}
  """,
])
func resolvedRecipeReadsBackEqual(_ text: String) throws {
  let recipe = try Recipe(yaml: text)
  let written = recipe.yaml
  let again = try Recipe(yaml: written)
  #expect(again == recipe)
  #expect(again.yaml == written)
}

@Test func resolvedRecipeWritesDefaults() throws {
  #expect(
    try Recipe(yaml: small).yaml == """
      name: small
      seed: 0
      reproducible: false
      data:
        source: digits
        batch: 32
        shuffle: true
        prefetch: 4
        normalize: false
        augment: {crop: 0, flip: false}
      model: {kind: mlp, hidden: [512, 512], activation: relu, dropout: 0, parametrization: standard}
      objective: {metric: accuracy}
      train:
        steps: 100
        accumulate: 1
        optimizer:
          kind: sgd
          learning-rate: 0.001
          decay-norms-and-biases: false
          weight-decay: 0
          momentum: 0.9
          nesterov: false
        schedule: {kind: constant, warmup: 0}
        label-smoothing: 0
        precision: float32
        recompute: auto
        offload: {state: false, activations: false, cached: true}
        evaluate: {}
      parallel:
        axes: {}
        names: {}
        pipeline: {schedule: "1f1b", chunks: 1}
        gradients: {kind: float32}
        local: {kind: none}
      checkpoint: {keep: 2, background: true}
      energy: {}

      """)
}

@Test(arguments: [
  ("1e4", 10000), ("10", 10), ("2.0", 2), ("+7", 7),
])
func wholeNumbersMayBeWrittenAsFloats(_ text: String, _ value: Int) throws {
  #expect(try Recipe(yaml: small, overrides: ["train.steps=\(text)"]).train.steps == value)
}

@Test(arguments: [
  ("8GiB", 8 << 30), ("1.5GiB", 3 << 29), ("512 MB", 512_000_000), ("4096", 4096), ("2kb", 2000),
  ("1TiB", 1 << 40),
])
func byteSizesAreRead(_ text: String, _ bytes: Int) {
  #expect(ByteSize.parse(text) == bytes)
  #expect(ByteSize.parse(ByteSize.text(bytes)) == bytes)
}

@Test(arguments: ["", "GiB", "-1GiB", "0", "8 gibs", "99999999999GiB", "1e3", "nan", "1.2.3MB"])
func wrongByteSizesAreRefused(_ text: String) {
  #expect(ByteSize.parse(text) == nil)
}

@Test(arguments: [
  ("adamx", "adamw"), ("learning_rate", "learning-rate"), ("opitmizer", "optimizer"), ("batch-size", "batch"),
])
func nearNamesAreFound(_ typed: String, _ meant: String) {
  #expect(nearestName(to: typed, among: ["batch", "sgd", "adamw", "learning-rate", "optimizer"]) == meant)
}

@Test func farNamesAreNotSuggested() {
  #expect(nearestName(to: "zebra", among: ["batch", "sgd", "adamw"]) == nil)
  #expect(nearestName(to: "", among: ["batch"]) == nil)
  #expect(nearestName(to: String(repeating: "a", count: 100_000), among: ["batch"]) == nil)
}
