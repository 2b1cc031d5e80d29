import ArgumentParser
import PandoTraining

/// `pando schema`
struct SchemaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schema", abstract: "Prints the JSON Schema of recipes, for editors.")

  @Flag(help: "Print tables for people, in Markdown, in place of JSON Schema.")
  var markdown = false

  func run() {
    print(markdown ? RecipeSchema.markdown() : RecipeSchema.json(), terminator: markdown ? "" : "\n")
  }
}
