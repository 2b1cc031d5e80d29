import Foundation
import PandoTraining
import Testing

/// The recipes that users are told to start with.
private let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("recipes")

@Test func everyCommittedRecipeIsReadAndNamedForItsFile() throws {
  let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
    $0.hasSuffix(".yaml")
  }
  #expect(Set(files).isSuperset(of: ["digits.yaml", "fashion-mnist.yaml", "fashion-mnist-mlp.yaml"]))
  for file in files {
    let recipe = try Recipe.load(path: folder.appendingPathComponent(file).path)
    #expect("\(recipe.name).yaml" == file)
    #expect(recipe.objective.metric != nil)
  }
}
