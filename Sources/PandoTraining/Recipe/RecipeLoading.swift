import Foundation
import PandoIR

extension Recipe {
  /// Reads a recipe file.
  ///
  /// - Parameters:
  ///   - path: the YAML file; its name is the run's name where the recipe gives none.
  ///   - overrides: each `key.path=value`, the value in YAML, applied in order.
  /// - Throws: `RecipeError` where the file is missing or no YAML, or a key is unknown, absent or of a value
  ///   that it does not accept.
  public static func load(path: String, overrides: [String] = []) throws(RecipeError) -> Recipe {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw RecipeError(keyPath: "", source: path, message: "no such recipe file" + neighbours(of: path))
    }
    guard !isFolder.boolValue else {
      throw RecipeError(keyPath: "", source: path, message: "expected a recipe file, got a folder")
    }
    let bytes: Data
    do {
      bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw RecipeError(keyPath: "", source: path, message: "cannot be read: \(error.localizedDescription)")
    }
    guard let text = String(data: bytes, encoding: .utf8) else {
      throw RecipeError(keyPath: "", source: path, message: "expected YAML in UTF-8, got other bytes")
    }
    let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    return try Recipe(yaml: text, source: path, defaultName: name, overrides: overrides)
  }

  /// Reads a recipe from YAML text.
  ///
  /// - Parameters:
  ///   - source: the file's name, for errors.
  ///   - defaultName: the run's name where the recipe gives none.
  ///   - overrides: each `key.path=value`, the value in YAML, applied in order.
  /// - Throws: `RecipeError`, as `load` does.
  public init(
    yaml: String, source: String? = nil, defaultName: String? = nil, overrides: [String] = []
  ) throws(RecipeError) {
    do {
      var tree = try RecipeParser.parse(yaml)
      let shape = Recipe.section.shape
      for text in overrides { try RecipeOverride(text).apply(to: &tree, shape: shape) }
      if let defaultName, tree.node(at: ["name"]) == nil, case .map(let entries) = tree.content {
        let value = RecipeNode(content: .scalar(defaultName, isQuoted: true), origin: tree.origin)
        tree.content = .map([.init(key: "name", keyOrigin: tree.origin, value: value)] + entries)
      }
      self = try Recipe.section.decode(tree, at: "")
      try resolve(tree)
    } catch var error {
      error.source = error.source ?? source
      throw error
    }
  }

  /// The whole recipe as YAML, every default written out; reading it back gives an equal recipe.
  public var yaml: String { Recipe.section.encode(self).yaml }

  /// A hint at a recipe of a similar name in the same folder.
  private static func neighbours(of path: String) -> String {
    let url = URL(fileURLWithPath: path)
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: url.deletingLastPathComponent().path)) ?? []
    let recipes = names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted()
    guard let name = nearestName(to: url.lastPathComponent, among: recipes) else { return "" }
    let folder = path.contains("/") ? path[...(path.lastIndex(of: "/") ?? path.startIndex)] : ""
    return "; did you mean '\(folder)\(name)'?"
  }
}
