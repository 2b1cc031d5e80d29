import PandoTraining
import Testing

@Test func overridesReplaceAddAndRemove() throws {
  let recipe = try Recipe(
    yaml: small,
    overrides: [
      "train.steps=20", "seed=7", "objective.target=0.9", "model.hidden=[10, 20]", "parallel.axes.data=2",
      "data.normalize={mean: [0.5], std: [2]}", "train.optimizer.momentum=",
    ])
  #expect(recipe.train.steps == 20)
  #expect(recipe.seed == 7)
  #expect(recipe.objective.target == 0.9)
  #expect(recipe.parallel.axes == [Recipe.Axis(name: "data", size: 2)])
  #expect(recipe.data.normalize == .fixed(mean: [0.5], deviation: [2]))
  guard case .mlp(let model) = recipe.model, case .sgd(let rule) = recipe.train.optimizer.rule else {
    Issue.record("not an MLP with SGD")
    return
  }
  #expect(model.hidden == [10, 20])
  #expect(rule.momentum == 0)
}

@Test func laterOverridesWin() throws {
  #expect(try Recipe(yaml: small, overrides: ["train.steps=20", "train.steps=30"]).train.steps == 30)
}

@Test func stepsOverrideReplacesEpochs() throws {
  let recipe = try Recipe(yaml: contract, overrides: ["train.steps=200"])
  #expect(recipe.train.steps == 200)
  #expect(recipe.train.epochs == nil)
  let both = #expect(throws: RecipeError.self) {
    try Recipe(yaml: contract, overrides: ["train.steps=200", "train.epochs=2"])
  }
  #expect(both?.keyPath == "train.epochs")
  #expect(both?.source == "--set train.epochs=2")
}

@Test func fewerStepsThanWarmupAreFine() throws {
  #expect(try Recipe(yaml: contract, overrides: ["train.steps=20"]).train.schedule.warmup == 100)
}

@Test func wholeSectionsCanBeSet() throws {
  let recipe = try Recipe(yaml: small, overrides: ["model={kind: cnn, channels: [4, 8]}"])
  guard case .cnn(let model) = recipe.model else {
    Issue.record("not a CNN")
    return
  }
  #expect(model.channels == [4, 8])
}

@Test(arguments: [
  ("train.stepz=20", "train.stepz", "did you mean 'train.steps'?"),
  ("steps=20", "steps", "did you mean 'train.steps'?"),
  ("train.optimizer.lr=1", "train.optimizer.lr", "expected one of kind, learning-rate"),
  ("train.steps=many", "train.steps", "a whole number, 1 or more, got 'many'"),
  ("train.steps=[1", "train.steps", "not valid YAML"),
  ("data.source.inner=1", "data.source.inner", "'data.source' has no keys inside"),
  ("model.channels=[3]", "model.channels", "belongs to cnn"),
  ("train.steps", "", "expected a key path"),
  ("=3", "", "expected a key path"),
  ("train..steps=3", "", "single dots"),
  ("train.steps=", "train", "give epochs or steps"),
])
func wrongOverridesAreRefused(_ text: String, _ keyPath: String, _ part: String) {
  let error = #expect(throws: RecipeError.self) {
    try Recipe(yaml: small, source: "small.yaml", overrides: [text])
  }
  #expect(error?.keyPath == keyPath)
  #expect(error?.message.contains(part) == true, "\(error.map(String.init(describing:)) ?? "")")
  // A removed key leaves its section's line to blame; all else is blamed on the override.
  #expect(error?.source == (text.hasSuffix("steps=") ? "small.yaml" : "--set \(text)"))
}
