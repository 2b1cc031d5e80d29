import ArgumentParser
import Foundation
import PandoData

/// `pando data list|get|show`
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Lists, gets and shows data sets.",
    subcommands: [List.self, Get.self, Show.self])

  /// What is said of a data set to scripts.
  struct Entry: Encodable {
    let name: String
    let installed: Bool
    let location: String?
    let card: DatasetCard

    init(_ dataset: any CataloguedDataset) {
      name = dataset.card.name
      location = dataset.location(in: DataFolder.url)?.path
      installed = location != nil
      card = dataset.card
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Lists the data sets that recipes can name.")

    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let entries = DatasetCatalogue.all.map { Entry($0) }
      if json { return try JSONOutput.print(entries) }
      let width = entries.map(\.name.count).max() ?? 0
      for entry in entries {
        let name = entry.name.padding(toLength: width, withPad: " ", startingAt: 0)
        print("\(name)  \(entry.installed ? "installed    " : "not installed")  \(entry.card.summary)")
      }
      print("\nget one with: pando data get NAME")
    }
  }

  struct Get: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Brings a data set onto this machine and checks it.")

    @Argument(help: "The data set's name; 'pando data list' shows them.") var name: String
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let dataset = try DatasetCatalogue.entry(named: name)
      try dataset.install(in: DataFolder.url) { Terminal.note($0) }
      try dataset.verify(in: DataFolder.url)
      let entry = Entry(dataset)
      if json { return try JSONOutput.print(entry) }
      print("\(entry.name) is in \(entry.location ?? "place"), and its checksums are right")
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows what a data set holds and where it comes from.")

    @Argument(help: "The data set's name; 'pando data list' shows them.") var name: String
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let entry = Entry(try DatasetCatalogue.entry(named: name))
      if json { return try JSONOutput.print(entry) }
      let card = entry.card
      print("\(card.name): \(card.summary)")
      print("  licence  \(card.licence)")
      print("  origin   \(card.origin)")
      print(
        "  samples  \(card.parts.map { "\($0.split.rawValue) \($0.count) \(card.unit)" }.joined(separator: ", "))"
      )
      print("  fields   \(card.fields.joined(separator: ", "))")
      for file in card.files { print("  file     \(file.name), \(file.bytes) bytes, sha256 \(file.sha256)") }
      print("  here     \(entry.location ?? "no; get it with: pando data get \(card.name)")")
    }
  }
}
