import ArgumentParser
import Foundation
import Pando
import PandoData
import PandoPlanning
import PandoTraining

/// `pando scale`
struct ScaleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scale", abstract: "Foretells the loss of a large run from small ones.",
    discussion:
      "The recipe, with what --set changes, is the size asked for. Smaller models on less data are trained, a scaling "
      + "law is fitted to their losses, and what it says of that size is printed with its bounds; so are time, memory "
      + "and energy, by the planner. Ctrl-C keeps what is done: the same command goes on.")

  @Argument(
    help: "The recipe of the size asked for, a YAML file.", completion: .file(extensions: ["yaml", "yml"]))
  var recipe: String
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Overrides a key of the recipe: model.width=512.", valueName: "key=value"))
  var overrides: [String] = []
  @Option(help: ArgumentHelp("The most time that the ladder may take: 10min, 90s, 2h.", valueName: "time"))
  var budget: String?
  @Option(help: "The largest rung has at most one part in so many of the parameters times data asked for.")
  var reach = 8.0
  @Option(help: "How many sizes of the model.") var sizes = 4
  @Option(help: "How many amounts of data, each with all sizes.") var amounts = 4
  @Option(
    help: ArgumentHelp("The ladder's folder; by default runs/NAME-scale.", valueName: "dir"),
    completion: .directory)
  var out: String?
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let seconds = try budget.map { try Self.seconds($0) }
    guard reach >= 2, reach.isFinite else { throw UsageError("--reach must be 2 or more, got \(reach)") }
    for (flag, count) in [("--sizes", sizes), ("--amounts", amounts)] {
      guard (ScalingEstimate.fewestLevels...12).contains(count) else {
        throw UsageError("\(flag) must be from \(ScalingEstimate.fewestLevels) to 12, got \(count)")
      }
    }
    let recipe = try Recipe.load(path: self.recipe, overrides: overrides)
    try DataFolder.fetch(recipe.data.source)
    let task = try TrainingTask(recipe, dataFolder: DataFolder.url)
    var device = try Device(
      named: "cpu", threads: recipe.train.threads, exact: recipe.train.precision == .exact)
    let ceilings = try CalibrationFile().ceilings(threads: device.threads)
    if let ceilings { device.ceilings = ceilings }
    let planner = device.measuringMethods(for: .zero)
    let (ladder, time) = try ladder(recipe, task, planner, within: seconds)
    let target = try TrainingRun(ladder.target.recipe, task: task, device: planner, isPlan: true)
    let forecast = try RunForecast(target, isCalibrated: ceilings != nil, points: 1)

    let folder = URL(fileURLWithPath: out ?? "runs/\(recipe.name)-scale", isDirectory: true)
    let signal = StopSignal()
    Terminal.note(
      "\(recipe.name): \(ladder.rungs.count) rungs, the largest of "
        + "\(Figures.grouped(ladder.rungs.last?.parameters ?? 0)) parameters; planned "
        + Figures.duration(time.seconds(of: ladder)))
    let outcome = try LadderSession(
      ladder, time: time, folder: folder.appending(path: "rungs", directoryHint: .isDirectory),
      dataFolder: DataFolder.url, device: device.measuringMethods(), columns: { Terminal.columns },
      budget: seconds
    ).run(note: { Terminal.note($0) }, shouldStop: { signal.isSet })
    guard !outcome.isInterrupted else { return tellInterrupted(outcome, ladder) }
    if outcome.leftOut > 0 {
      Terminal.note(
        "\(outcome.leftOut) of \(ladder.rungs.count) rungs would have ended after the budget, and were left out"
      )
    }
    let answer = ScaleAnswer(ladder, outcome.results, forecast: forecast)
    try answer.write(to: folder)
    if json { try JSONOutput.print(answer) } else { answer.show(folder: out ?? "runs/\(recipe.name)-scale") }
    if let reason = answer.reason { throw LaunchFailure(description: reason) }
  }

  /// The ladder, and how long it will take; a shorter one where it would take longer than it may.
  private func ladder(
    _ recipe: Recipe, _ task: TrainingTask, _ device: Device, within budget: Double?
  ) throws -> (ScalingLadder, LadderTime) {
    var options = ScalingLadder.Options()
    (options.sizes, options.amounts, options.reach) = (sizes, amounts, reach)
    var ladder = try ScalingLadder(recipe, task: task, options: options)
    var time = try LadderTime(ladder, task: task, device: device)
    guard let budget else { return (ladder, time) }
    for _ in 0..<4 {
      let planned = time.seconds(of: ladder)
      // Evaluation and compilation are not planned.
      guard planned > budget * 0.8 else { break }
      options.reach *= max(1.1, planned / (budget * 0.75))
      do { ladder = try ScalingLadder(recipe, task: task, options: options) } catch let error as RecipeError {
        throw UsageError(
          "--budget \(self.budget ?? ""): too short for a ladder below this size (\(error.message)); the whole one "
            + "takes about \(Figures.duration(planned))")
      }
      time = try LadderTime(ladder, task: task, device: device)
    }
    return (ladder, time)
  }

  private func tellInterrupted(_ outcome: LadderSession.Outcome, _ ladder: ScalingLadder) {
    Terminal.note(
      "stopped with \(outcome.results.count) of \(ladder.rungs.count) rungs done. Go on with: pando scale "
        + "\(recipe)\(resumeFlags)")
  }

  /// The flags that lead back to the same ladder.
  private var resumeFlags: String {
    var flags = overrides.map { "--set \($0)" }
    if let budget { flags.append("--budget \(budget)") }
    if reach != 8 { flags.append("--reach \(reach)") }
    if sizes != 4 { flags.append("--sizes \(sizes)") }
    if amounts != 4 { flags.append("--amounts \(amounts)") }
    if let out { flags.append("--out \(out)") }
    return flags.map { " " + $0 }.joined()
  }

  /// Seconds that `10min`, `90s`, `2h` or `90` mean.
  private static func seconds(_ text: String) throws -> Double {
    let digits = text.prefix { $0.isNumber || $0 == "." }
    let unit = text.dropFirst(digits.count).trimmingCharacters(in: .whitespaces)
    let units = ["": 1.0, "s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600]
    guard let value = Double(digits), let size = units[unit], value > 0 else {
      throw UsageError("--budget is a time such as 10min, 90s or 2h, not '\(text)'")
    }
    return value * size
  }
}
