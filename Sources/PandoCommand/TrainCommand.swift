import ArgumentParser
import Foundation
import Pando
import PandoData
import PandoTraining

/// `pando train`
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Trains the network of a recipe.",
    discussion:
      "Ctrl-C or SIGTERM ends the run after the current step and a checkpoint; --resume goes on from there.")

  @Argument(
    help: "The recipe, a YAML file; 'pando schema' describes it.",
    completion: .file(extensions: ["yaml", "yml"]))
  var recipe: String
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Overrides a key of the recipe: train.steps=20.", valueName: "key=value"))
  var overrides: [String] = []
  @Option(help: "Processes to train on; this version trains on one.") var ranks = 1
  @Option(help: "cpu or reference.") var device = "cpu"
  @Option(
    help: ArgumentHelp("The run's folder; by default runs/NAME.", valueName: "dir"), completion: .directory)
  var out: String?
  @Flag(help: "Go on from the latest checkpoint in the run's folder.") var resume = false
  @Flag(help: "Write a timeline of a few steps to trace.json in the run's folder; ui.perfetto.dev shows it.")
  var profile = false
  @Flag(help: "Print the summary as JSON.") var json = false

  func run() throws {
    guard ranks == 1 else {
      throw UsageError("--ranks \(ranks): this version trains on one rank; leave --ranks out")
    }
    let recipe = try Recipe.load(path: self.recipe, overrides: overrides)
    let device: Device
    do {
      device = try Device(
        named: self.device, threads: recipe.train.threads, exact: recipe.train.precision == .exact)
    } catch { throw UsageError("--device: \(error)") }
    try getData(recipe.data.source)
    let folder = RunFolder(URL(fileURLWithPath: out ?? "runs/\(recipe.name)", isDirectory: true))
    let session = TrainingSession(
      recipe, folder: folder, resumes: resume, dataFolder: DataFolder.url, device: device,
      showsProgress: true,
      profiles: profile)
    let signal = StopSignal()
    let outcome = try session.run(note: { Terminal.note($0) }, shouldStop: { signal.isSet })
    if json { print(outcome.summary.json) } else { show(outcome) }
  }

  /// Fetches a catalogued data set that is not here yet.
  private func getData(_ source: String) throws {
    guard !LocalData.isPath(source) else { return }
    let dataset = try DatasetCatalogue.entry(named: source)
    guard !dataset.isInstalled(in: DataFolder.url) else { return }
    Terminal.note("getting the data set \(source)")
    try dataset.install(in: DataFolder.url) { Terminal.note($0) }
  }

  private func show(_ outcome: TrainingSession.Outcome) {
    let summary = outcome.summary
    let path = Self.shortened(outcome.folder.path)
    switch outcome.reason {
    case .interrupted:
      print(
        "stopped after step \(summary.steps). Go on with: pando train \(self.recipe) --resume" + resumeFlags)
    case .target: print("reached the target after step \(summary.steps)")
    case .patience: print("no better for a while, so it ended after step \(summary.steps)")
    case .finished: break
    }
    for (name, value) in summary.eval.sorted(by: { $0.key < $1.key }) {
      let text = name == "accuracy" ? String(format: "%.2f %%", value * 100) : String(format: "%.4f", value)
      print("\(name.padding(toLength: 20, withPad: " ", startingAt: 0)) \(text)")
    }
    print(
      "\("seconds".padding(toLength: 20, withPad: " ", startingAt: 0)) \(String(format: "%.1f", summary.seconds))"
    )
    if profile {
      print("\("timeline".padding(toLength: 20, withPad: " ", startingAt: 0)) \(path)/trace.json")
    }
    print("\("report".padding(toLength: 20, withPad: " ", startingAt: 0)) \(path)/report.html")
  }

  /// The flags that lead back to the same run.
  private var resumeFlags: String {
    (overrides.map { " --set \($0)" } + (out.map { [" --out \($0)"] } ?? [])).joined()
  }

  private static func shortened(_ path: String) -> String {
    let here = FileManager.default.currentDirectoryPath + "/"
    return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
  }
}
