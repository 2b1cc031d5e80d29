import PandoIR

/// The data sets that Pando knows by name.
public enum DatasetCatalogue {
  /// All of them, by name.
  public static let all: [any CataloguedDataset] = [KingJamesBible(), Digits(), FashionMNIST()]

  /// The data set called `name`.
  ///
  /// - Throws: `DataError` with the nearest name where there is none.
  public static func entry(named name: String) throws -> any CataloguedDataset {
    if let entry = all.first(where: { $0.card.name == name }) { return entry }
    let names = all.map(\.card.name)
    let near = nearestName(to: name, among: names).map { "did you mean '\($0)'?" }
    throw DataError(
      .notFound, at: "data set '\(name)'", "is not known; known are \(names.joined(separator: ", "))",
      mend: near ?? "or give the path of a file or folder")
  }
}
