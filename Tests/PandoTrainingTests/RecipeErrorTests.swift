import Foundation
import PandoTraining
import Testing

/// What a recipe is expected to be refused with.
struct Refusal: Sendable, CustomTestStringConvertible {
  var yaml: String
  var keyPath: String
  var line: Int?
  var parts: [String]
  var testDescription: String { yaml }

  init(_ yaml: String, _ keyPath: String, _ line: Int?, _ parts: String...) {
    (self.yaml, self.keyPath, self.line, self.parts) = (yaml, keyPath, line, parts)
  }
}

/// The small recipe with one section spoilt.
func recipe(data: String = "{source: d}", model: String = "{kind: mlp}", train: String = "{steps: 1}")
  -> String
{
  "name: x\ndata: \(data)\nmodel: \(model)\ntrain: \(train)\n"
}

@Test(arguments: [
  Refusal("", "", nil, "empty"),
  Refusal("# only a comment\n", "", nil, "empty"),
  Refusal("---\n", "", nil, "empty"),
  Refusal("just text", "", 1, "expected a map of keys", "'just text'"),
  Refusal("- 1\n- 2\n", "", 1, "expected a map of keys", "a list of 2"),
  Refusal("name: [1, 2\ndata: 3\n", "", 2, "not valid YAML", "column"),
  Refusal("name: x\n\tseed: 1\n", "", 2, "not valid YAML"),
  Refusal("name: x\nseed: 1\nseed: 2\n", "", 2, "'seed' is given more than once"),
  Refusal("name: *nothing\n", "", 1, "undefined alias"),
  Refusal("? [a, b]\n: 1\n", "", 1, "expected a key to be text"),
  Refusal(String(repeating: "[", count: 100_000), "", 1, "nested too deeply"),
  Refusal(String(repeating: "- ", count: 100_000) + "x", "", 1, "nested too deeply"),
  Refusal(
    "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
      + "bcdefghi".reduce(into: ("", "a")) { text, name in
        text.0 +=
          "\(name): &\(name) [" + Array(repeating: "*\(text.1)", count: 10).joined(separator: ", ") + "]\n"
        text.1 = String(name)
      }.0, "", 1, "too large, to be a recipe"),
  Refusal("a: 1\n---\nb: 2\n", "", 2, "another document"),
  Refusal("name: x\nsead: 1\n", "sead", 2, "unknown key 'sead'", "did you mean 'seed'?"),
  Refusal("name: x\nzebra: 1\n", "zebra", 2, "expected one of name, seed"),
  Refusal("name: x\nlearning-rate: 1\n", "learning-rate", 2, "did you mean 'train.optimizer.learning-rate'?"),
  Refusal("name: x\n", "data", 1, "missing", "map of keys (source"),
  Refusal("name: a/b\n", "name", 1, "expected letters", "'a/b'"),
  Refusal("name: ..\n", "name", 1, "not starting with a dot"),
  Refusal("name: x\nseed: -1\n", "seed", 2, "a whole number, 0 or more", "got -1"),
  Refusal("name: x\nseed: 9223372036854775808\n", "seed", 2, "got 9223372036854775808"),
  Refusal("name: x\nseed: 0.5\n", "seed", 2, "got 0.5"),
  Refusal("name: x\nseed: \"1\"\n", "seed", 2, "the quoted text \"1\""),
  Refusal("name: x\nreproducible: yes\n", "reproducible", 2, "expected true or false, got 'yes'"),
  Refusal("name: x\nreproducible: 1\n", "reproducible", 2, "expected true or false, got 1"),
  Refusal("name: x\ndata: 5\n", "data", 2, "expected a map of keys", "got 5"),
  Refusal(recipe(data: "{source: }"), "data.source", 2, "expected text, got nothing"),
  Refusal(recipe(data: "{batch: 1}"), "data.source", 2, "missing"),
  Refusal(recipe(data: "{source: d, batch: many}"), "data.batch", 2, "a whole number", "'many'"),
  Refusal(recipe(data: "{source: d, batch: 0}"), "data.batch", 2, "got 0"),
  Refusal(recipe(data: "{source: d, batch: .inf}"), "data.batch", 2, "got '.inf'"),
  Refusal(recipe(data: "{source: d, validation: 1.5}"), "data.validation", 2, "above 0 and below 1", "1.5"),
  Refusal(
    recipe(data: "{source: d, normalize: maybe}"), "data.normalize", 2, "true, false or {mean", "'maybe'"),
  Refusal(recipe(data: "{source: d, normalize: {mean: [1]}}"), "data.normalize.std", 2, "missing"),
  Refusal(
    recipe(data: "{source: d, normalize: {mean: [1], std: [1, 2]}}"), "data.normalize", 2, "1 mean, 2 std"),
  Refusal(
    recipe(data: "{source: d, normalize: {mean: [1], std: [0]}}"), "data.normalize.std[0]", 2, "above 0"),
  Refusal(recipe(data: "{source: d, context: 8}"), "data.context", 2, "for text only"),
  Refusal(
    recipe(model: "{hidden: [1]}"), "model.kind", 3,
    "missing; expected mlp, residual-mlp, cnn, resnet, vit or gpt"),
  Refusal(recipe(model: "{kind: mpl}"), "model.kind", 3, "got 'mpl'", "did you mean 'mlp'?"),
  Refusal(recipe(model: "{kind: mlp, hidden: 5}"), "model.hidden", 3, "expected a list", "got 5"),
  Refusal(recipe(model: "{kind: mlp, hidden: [5, x]}"), "model.hidden[1]", 3, "got 'x'"),
  Refusal(recipe(model: "{kind: mlp, channels: [5]}"), "model.channels", 3, "kind mlp; it belongs to cnn"),
  Refusal(
    recipe(model: "{kind: cnn, channels: []}"), "model.channels", 3, "expected 1 to 64 elements, got 0"),
  Refusal(recipe(model: "{kind: resnet, depth: 19}"), "model.depth", 3, "18, 34, 50, 101 or 152", "got 19"),
  Refusal(
    recipe(model: "{kind: vit, width: 10, heads: 3}"), "model.heads", 3, "divisor of model.width 10, got 3"),
  Refusal(recipe(model: "{kind: gpt}"), "data.context", 2, "missing; model.kind gpt"),
  Refusal(
    recipe(data: "{source: d, context: 4}", model: "{kind: gpt, kv-heads: 3}"), "model.kv-heads", 3,
    "divisor of model.heads 4, got 3"),
  Refusal(recipe(train: "{}"), "train", 4, "give epochs or steps"),
  Refusal(recipe(train: "\n  epochs: 1\n  steps: 2"), "train.steps", 6, "only one of epochs and steps"),
  Refusal(
    recipe(train: "\n  steps: 2\n  optimizer: {kind: adamx}"), "train.optimizer.kind", 6,
    "expected sgd, adam or adamw, got 'adamx'", "did you mean 'adamw'?"),
  Refusal(
    recipe(train: "{steps: 2, optimizer: {kind: adam, momentum: 0.9}}"), "train.optimizer.momentum", 4,
    "for kind adam; it belongs to sgd"),
  Refusal(
    recipe(train: "{steps: 2, optimizer: {learning-rate: 0}}"), "train.optimizer.learning-rate", 4,
    "above 0"),
  Refusal(
    recipe(train: "{steps: 2, optimizer: {learning_rate: 1}}"), "train.optimizer.learning_rate", 4,
    "did you mean 'learning-rate'?"),
  Refusal(recipe(train: "{steps: 2, schedule: {kind: step}}"), "train.schedule.every", 4, "missing"),
  Refusal(
    recipe(train: "{steps: 2, memory: 8 gigs}"), "train.memory", 4, "a size in bytes such as 8GiB", "'8 gigs'"
  ),
  Refusal(
    recipe(train: "{steps: 2, label-smoothing: 1}"), "train.label-smoothing", 4, "from 0 to below 1, got 1"),
  Refusal(
    recipe(train: "{steps: 2, precision: fp16}"), "train.precision", 4, "float32, bf16 or exact", "'bf16'"),
  Refusal(recipe(train: "{steps: 2, clip-norm: -1}"), "train.clip-norm", 4, "above 0"),
  Refusal(
    recipe(train: "{steps: 2, optimizer: {kind: sgd, nesterov: true}}"), "train.optimizer.nesterov", 4,
    "momentum"),
  Refusal(recipe() + "parallel: {axes: {data: 0}}", "parallel.axes.data", 5, "from 1 to 1048576, got 0"),
  Refusal(recipe() + "parallel: {axes: [2]}", "parallel.axes", 5, "a map from names", "a list of 1"),
  Refusal(recipe() + "objective: {metric: perplexity}", "objective.metric", 5, "for text only"),
  Refusal(recipe() + "checkpoint: {keep: 0}", "checkpoint.keep", 5, "got 0"),
])
func wrongRecipesAreRefused(_ refusal: Refusal) {
  do {
    let recipe = try Recipe(yaml: refusal.yaml)
    Issue.record("accepted as \(recipe)")
  } catch {
    #expect(error.keyPath == refusal.keyPath)
    #expect(error.line == refusal.line)
    for part in refusal.parts { #expect(error.message.contains(part), "\(error)") }
    #expect(!error.message.contains("\n"))
  }
}

@Test func errorsNameFileLineAndKey() {
  let error = #expect(throws: RecipeError.self) {
    try Recipe(yaml: "name: x\nsead: 1\n", source: "recipes/x.yaml")
  }
  #expect(error?.description == "recipes/x.yaml:2: sead: unknown key 'sead'; did you mean 'seed'?")
}

@Test func unreadableFilesAreRefused() throws {
  let folder = FileManager.default.temporaryDirectory.appending(path: "pando-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let digits = folder.appending(path: "digits.yaml").path
  try Data(small.utf8).write(to: URL(fileURLWithPath: digits))
  #expect(try Recipe.load(path: digits).name == "small")

  let missing = #expect(throws: RecipeError.self) { try Recipe.load(path: folder.path + "/digist.yaml") }
  #expect(missing?.message == "no such recipe file; did you mean '\(digits)'?")
  #expect(missing?.source == folder.path + "/digist.yaml")
  let isFolder = #expect(throws: RecipeError.self) { try Recipe.load(path: folder.path) }
  #expect(isFolder?.message == "expected a recipe file, got a folder")
  let binary = folder.appending(path: "binary.yaml")
  try Data([0xff, 0xfe, 0x00, 0x80]).write(to: binary)
  let notText = #expect(throws: RecipeError.self) { try Recipe.load(path: binary.path) }
  #expect(notText?.message == "expected YAML in UTF-8, got other bytes")
  try Data(repeating: 0x20, count: 2 << 20).write(to: binary)
  let long = #expect(throws: RecipeError.self) { try Recipe.load(path: binary.path) }
  #expect(long?.message.contains("1 MiB") == true)
}
