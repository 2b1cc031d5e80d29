import Foundation
import PandoTraining
import Testing

/// Every object of the JSON Schema with its place.
private func objects(_ value: Any, _ path: String = "") -> [(path: String, schema: [String: Any])] {
  guard let schema = value as? [String: Any] else { return [] }
  var found = [(path, schema)]
  for (key, inner) in schema["properties"] as? [String: Any] ?? [:] {
    found += objects(inner, "\(path).\(key)")
  }
  for key in ["oneOf", "anyOf"] {
    for inner in schema[key] as? [Any] ?? [] { found += objects(inner, path) }
  }
  return found
}

@Test func schemaIsJSONThatForbidsUnknownKeys() throws {
  let root = try JSONSerialization.jsonObject(with: Data(RecipeSchema.json().utf8))
  let schema = try #require(root as? [String: Any])
  #expect(schema["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
  #expect(Set(schema["required"] as? [String] ?? []) == ["data", "model", "train"])
  let all = objects(schema)
  #expect(all.count > 80)
  for (path, object) in all where object["properties"] != nil {
    #expect(object["additionalProperties"] as? Bool == false, "\(path)")
  }
  let rate = try #require(all.first { $0.path == ".train.optimizer.learning-rate" }).schema
  #expect(rate["exclusiveMinimum"] as? Double == 0)
  #expect(rate["default"] as? Double == 1e-3)
  let models = try #require(all.first { $0.path == ".model" }).schema["oneOf"] as? [[String: Any]]
  let kinds = models?.compactMap {
    ($0["properties"] as? [String: [String: Any]])?["kind"]?["enum"] as? [String]
  }
  #expect(kinds == [["mlp"], ["residual-mlp"], ["cnn"], ["resnet"], ["vit"], ["gpt"]])
  #expect(models?.allSatisfy { $0["required"] as? [String] == ["kind"] } == true)
  let train = try #require(all.first { $0.path == ".train" }).schema
  #expect((train["oneOf"] as? [[String: [String]]])?.count == 2)
}

@Test func documentedKeysAreCurrent() throws {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  let page = try String(contentsOf: root.appending(path: "docs/recipe.md"), encoding: .utf8)
  #expect(page == RecipeSchema.markdown(), "write `pando schema --markdown` to docs/recipe.md")
}

@Test func plainValuesArePrinted() {
  let value = PlainValue.object([
    "a": .list([.integer(1), .number(0.5), .number(.nan), .null]), "b b": .text("x\"\\\n\u{7}é"),
    "c": .map([]),
  ])
  #expect(value.json == #"{"a":[1,0.5,null,null],"b b":"x\"\\\n\u0007é","c":{}}"#)
  #expect(value.yaml == "a: [1, 0.5, .nan, null]\n\"b b\": \"x\\\"\\\\\\n\\u0007é\"\nc: {}\n")
  #expect(PlainValue.text("no").yaml == "\"no\"\n")
  #expect(PlainValue.text("1e3").yaml == "\"1e3\"\n")
}
