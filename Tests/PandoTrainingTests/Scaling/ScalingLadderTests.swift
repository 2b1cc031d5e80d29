import Foundation
import PandoData
import PandoTraining
import Testing

/// Text of words that follow each other by a rule, so that a model can learn more than letters.
private func text(words count: Int) -> String {
  let words = ["in", "the", "beginning", "was", "light", "and", "water", "over", "earth", "men"]
  var (state, text) = (1, "")
  for place in 0..<count {
    state = (state * 7 + place * place + 3) % 101
    text += words[state % 10] + (state % 17 == 0 ? ".\n" : " ")
  }
  return text
}

private func recipe(_ folder: TemporaryFolder, _ overrides: [String] = []) throws -> Recipe {
  let file = folder.url.appending(path: "text.txt")
  try Data(text(words: 2000).utf8).write(to: file)
  return try Recipe(
    yaml: """
      name: small
      data: {source: \(file.path), unit: character, context: 16, batch: 8, validation: 0.1}
      model: {kind: gpt, layers: 4, width: 64, heads: 4}
      objective: {metric: bits-per-character, target: 0.1, patience: 3}
      train:
        steps: 400
        optimizer: {kind: adamw, learning-rate: 3e-3}
        schedule: {kind: cosine, warmup: 40}
        evaluate: {every: 100}
      checkpoint: {every: 50}
      parallel: {axes: {data: 2}}
      """, overrides: overrides)
}

private func ladder(_ recipe: Recipe, _ options: ScalingLadder.Options = .init()) throws -> ScalingLadder {
  try ScalingLadder(
    recipe, task: try TrainingTask(recipe, dataFolder: URL(fileURLWithPath: "/")), options: options)
}

@Test func rungsAreAGridBelowTheSizeAskedFor() throws {
  let folder = try TemporaryFolder()
  let recipe = try recipe(folder)
  let ladder = try ladder(recipe)
  #expect(ladder.target.tokens == 400 * 8 * 16)
  #expect(ladder.rungs.count == 16)
  #expect(Set(ladder.rungs.map(\.parameters)).count == 4 && Set(ladder.rungs.map(\.tokens)).count == 4)
  #expect(Set(ladder.rungs.map(\.folderName)).count == 16)
  let pairs = ladder.rungs.map(\.pairs)
  #expect(pairs == pairs.sorted())
  let largest = try #require(pairs.last)
  #expect(largest <= ladder.target.pairs / 8 && largest > ladder.target.pairs / 8 * 0.95)
  for rung in ladder.rungs {
    #expect(rung.tokens == rung.steps * 8 * 16)
    #expect(rung.parameters < ladder.target.parameters)
  }
  // Each about five eighths of the one above, as far as there are such widths.
  let sizes = Set(ladder.rungs.map(\.parameters)).sorted(by: >).map(Double.init)
  for (above, below) in zip(sizes, sizes.dropFirst()) {
    #expect((1.1...2.4).contains(above / below), "\(sizes)")
  }
}

/// A rung is a run of its own: its schedule ends where it ends, and nothing ends it before.
@Test func everyRungHasItsOwnWholeSchedule() throws {
  let folder = try TemporaryFolder()
  let recipe = try recipe(folder)
  for rung in try ladder(recipe).rungs {
    let own = rung.recipe
    #expect(own.train.steps == rung.steps && own.train.epochs == nil)
    #expect(own.train.evaluate.every == rung.steps)
    #expect(own.train.schedule.course == recipe.train.schedule.course)
    #expect(abs(Double(own.train.schedule.warmup) - Double(rung.steps) / 10) <= 0.5)
    #expect(own.objective.target == nil && own.objective.patience == nil && own.parallel.axes.isEmpty)
    #expect(own.train.optimizer == recipe.train.optimizer && own.data == recipe.data)
    // What is written into the rung's folder is a recipe that can be read.
    #expect(try Recipe(yaml: own.yaml) == own)
  }
}

@Test func aStaircaseHasItsFallsAtTheSameShares() throws {
  let folder = try TemporaryFolder()
  let recipe = try recipe(
    folder, ["train.schedule={kind: step, every: 100}", "train.epochs=2", "data.batch=4"])
  let ladder = try ladder(recipe)
  #expect(ladder.epochs == 2 || abs(ladder.epochs - 2) < 0.02)
  for rung in ladder.rungs {
    guard case .step(let stairs) = rung.recipe.train.schedule.course else {
      Issue.record("\(rung.recipe.train.schedule)")
      continue
    }
    let expected = 100 * Double(rung.steps) / Double(ladder.target.steps)
    #expect(abs(Double(stairs.every) - max(1, expected)) <= 0.5)
  }
}

/// Every smaller model of every kind can be written and read, and none is larger than the one it is below.
@Test(arguments: [
  "{kind: gpt, layers: 6, width: 192, heads: 6, kv-heads: 2, rotary: true}",
  "{kind: gpt, layers: 4, width: 64, heads: 4, parametrization: mup, base-width: 32, base-heads: 2}",
  "{kind: gpt, layers: 4, width: 32, heads: 4, experts: {count: 4, every: 4}}",
])
func smallerTransformersAreWhole(_ model: String) throws {
  let folder = try TemporaryFolder()
  let recipe = try recipe(folder, ["model=\(model)"])
  let task = try TrainingTask(recipe, dataFolder: folder.url)
  let whole = try recipe.model.parameterCount(for: task)
  for model in recipe.model.sizesBelow {
    var smaller = recipe
    smaller.model = model
    #expect(try Recipe(yaml: smaller.yaml) == smaller, "\(model)")
    let count = try model.parameterCount(for: task)
    #expect(count <= whole)
    #expect(model.disproportion(to: recipe.model) <= 0.7)
  }
  #expect(recipe.model.sizesBelow.contains(recipe.model))
}

@Test(arguments: [
  "{kind: mlp, hidden: [64, 32]}", "{kind: cnn, channels: [8, 16], dense: 32}",
  "{kind: resnet, depth: 18, width: 16}", "{kind: vit, patch: 4, width: 32, layers: 3, heads: 2}",
])
func imageModelsHaveSmallerOnesToo(_ model: String) throws {
  let recipe = try Recipe(
    yaml: """
      name: images
      data: {source: images, batch: 8}
      model: \(model)
      train: {steps: 800}
      """)
  let ladder = try ScalingLadder(recipe, task: try imageTask(count: 200))
  #expect(ladder.rungs.count == 16 && ladder.target.tokens == 6400 && ladder.epochs == 32)
}

@Test func whatIsTooSmallForALadderIsRefused() throws {
  let folder = try TemporaryFolder()
  let short = try recipe(folder, ["train.steps=40"])
  let tooShort = #expect(throws: RecipeError.self) { try ladder(short) }
  #expect(tooShort?.keyPath == "train.steps" && tooShort?.message.contains("shortest run") == true)
  let narrow = try recipe(folder, ["model={kind: gpt, layers: 1, width: 4, heads: 1}"])
  let tooNarrow = #expect(throws: RecipeError.self) { try ladder(narrow) }
  #expect(tooNarrow?.keyPath == "model")
}

@Test func aProgressLineSaysWhichRung() {
  var state = ProgressState(step: 353, totalSteps: 354, loss: 2.3, secondsLeft: 61)
  state.part = ("rung 5/16", 0.314)
  #expect(state.line() == "rung 5/16 · step 353/354 · 31 % · loss 2.300 · 1 min 01 s left")
}

@Test func aScalingReportShowsDotsLinesAndBounds() {
  var page = ScalingReport(name: "a <b>", subtitle: "1 parameter", recipe: "name: a")
  #expect(!page.html().contains("<h2>Losses") && !page.html().contains("<h2>Rungs"))
  page.charts = [
    ScalingChart(
      title: "Loss over compute", xTitle: "operations", yTitle: "nats",
      series: [
        .init(
          "10k parameters", dots: [.init(1e9, 2), .init(2e9, 1.8)], line: [.init(1e9, 2), .init(8e9, 1.5)])
      ],
      marks: [.init("foretold", at: .init(8e9, 1.5), low: 1.4, high: 1.6)])
  ]
  page.columns = ["model", "loss"]
  page.rows = [["width 8", "2.000"]]
  page.constants = [("α", "0.34", "0.3 to 0.4")]
  page.note = "four passes"
  let html = page.html()
  for part in [
    "a &lt;b&gt;, scaled", "10k parameters", "foretold", "width 8", "0.3 to 0.4", "four passes",
    "operations, log scale",
    "class='dot p0'", "class='line p0'", "class='line p4'", ">1G<", ">10G<",
  ] { #expect(html.contains(part), "\(part)") }
  #expect(!html.contains("http"))
}
