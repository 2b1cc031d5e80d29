import Foundation
import Pando
import PandoPlanning
import PandoTraining

/// `pando plan RECIPE --ranks N`: what every rank of a spread run needs, and what a step takes.
struct PlanRanks {
  let recipe: Recipe
  let task: TrainingTask
  let ranks: Int
  let device: Device
  let machine: PlanMachine

  /// - Parameters:
  ///   - threads: of each rank; by default an equal share of the cores.
  ///   - cores: that the ranks share.
  /// - Throws: `DataError` where the calibration is spoilt.
  init(
    _ recipe: Recipe, task: TrainingTask, ranks: Int, threads: Int?,
    cores: Int = ProcessInfo.processInfo.activeProcessorCount
  ) throws {
    (self.recipe, self.task, self.ranks) = (recipe, task, ranks)
    var machine = PlanMachine(cores: cores)
    let threads = threads ?? recipe.train.threads ?? machine.threads(ranks: ranks)
    device = try Device(named: "cpu", threads: threads, exact: recipe.train.precision == .exact)
    let file = CalibrationFile()
    let ceilings = try file.ceilings(threads: threads, busyRanks: min(ranks, machine.cores / threads))
    let link = try file.link()
    machine.isCalibrated = ceilings != nil && link != nil
    machine.ceilings = ceilings ?? machine.ceilings
    machine.link = link ?? machine.link
    self.machine = machine
  }

  /// How many ranks a recipe asks for where the command does not say.
  static func ranks(of recipe: Recipe) -> Int {
    recipe.parallel.axes.reduce(1) { $0.multipliedReportingOverflow(by: $1.size).partialValue }
  }

  /// All ways of spreading the recipe, with a line that tells how far it is.
  func table() throws -> StrategyTable {
    let line = ProgressNote("plan")
    defer { line.clear() }
    return try StrategyTable(recipe, task: task, device: device, ranks: ranks, on: machine) {
      name, done, count in
      line.update("\(done + 1) of \(count): \(name)")
    }
  }

  /// The plan of the way that the recipe asks for; where it asks for the best, of that.
  ///
  /// - Throws: `RecipeError`, which names the nearest way that goes where this one does not.
  func plan(_ table: StrategyTable?) throws -> RanksPlan {
    let recipe = recipe.parallel.isAutomatic ? try (table ?? self.table()).resolved(recipe).recipe : recipe
    do { return try RanksPlan(recipe, task: task, device: device, ranks: ranks) } catch let error
      as RecipeError
    {
      guard error.keyPath.hasPrefix("parallel"),
        let near = StrategyTable.nearest(to: recipe, task: task, device: device, ranks: ranks)
      else { throw error }
      var better = error
      better.message += "; the nearest way that \(ranks) ranks can go is --set '\(near.parallel.override)'"
      throw better
    }
  }

  /// The recipe with the way found that is best for these ranks.
  ///
  /// - Parameter note: told which it is, and why.
  static func resolved(
    _ recipe: Recipe, task: TrainingTask, ranks: Int, threads: Int, note: (String) -> Void
  ) throws -> Recipe {
    // The rank that asks may be bound to cores of its own.
    let plan = try PlanRanks(
      recipe, task: task, ranks: ranks, threads: threads, cores: ProcessInfo.processInfo.processorCount)
    let (recipe, reason) = try plan.table().resolved(recipe)
    note(
      reason + (plan.machine.isCalibrated ? "" : " (by round figures; measure with: pando plan --calibrate)"))
    return recipe
  }
}

/// Plans of several ranks, for people.
enum PlanRanksText {
  private static func row(_ name: String, _ text: String) {
    print("\(name.padding(toLength: 20, withPad: " ", startingAt: 0)) \(text)")
  }

  private static func time(_ seconds: Double) -> String {
    seconds < 1 ? String(format: "%.2f ms", seconds * 1e3) : String(format: "%.2f s", seconds)
  }

  /// How the run is spread: names of dimensions to axes of the mesh, and the exchanges of a step.
  static func show(strategy plan: RanksPlan) {
    row("strategy", plan.strategyText)
    print("\nparameters            dimensions → axes, and of the optimizer's tensors; bytes of a rank")
    for parameter in plan.parameterSpread {
      let count = parameter.count > 1 ? " × \(parameter.count)" : ""
      print(
        "  \((parameter.name + count).padding(toLength: 36, withPad: " ", startingAt: 0)) "
          + "[\(parameter.dimensions.joined(separator: ","))] → \(parameter.sharding), \(parameter.optimizerSharding); "
          + "\(Figures.bytes(parameter.bytesOfRank)) of \(Figures.bytes(parameter.bytes))")
    }
    print("\nexchanges of a step")
    for exchange in plan.exchanges {
      let count = String(format: exchange.count < 1 ? "%.3f" : "%.0f", exchange.count)
      print(
        "  \(count.leftPadded(6)) × \(exchange.kind.rawValue.padding(toLength: 14, withPad: " ", startingAt: 0)) "
          + "over \(exchange.axes.joined(separator: " × ")) (\(exchange.ranks)), \(Figures.bytes(exchange.bytes)) each"
      )
    }
    print("")
  }

  /// Each rank's memory, and the time.
  static func show(_ forecast: RanksForecast) {
    row(
      "ranks",
      "\(forecast.ranks) of \(forecast.threads) thread\(forecast.threads == 1 ? "" : "s"): \(forecast.strategy)"
    )
    print("\nrank        planned    resident     keeps   state at its highest")
    // Ranks that are alike are one line.
    var shown: [(first: Int, last: Int, text: String)] = []
    for rank in forecast.perRank {
      let text =
        [rank.peakMemoryBytes, rank.residentBytes, rank.stateBytes].map {
          Figures.bytes($0).leftPadded(11)
        }.joined(separator: " ") + (rank.statePeakBytes.map { Figures.bytes($0) } ?? "–").leftPadded(12)
        + (rank.stage.map { "   stage \($0)" } ?? "")
      if let last = shown.indices.last, shown[last].text == text {
        shown[last].last = rank.rank
      } else {
        shown.append((rank.rank, rank.rank, text))
      }
    }
    for line in shown {
      let name = line.first == line.last ? "\(line.first)" : "\(line.first)–\(line.last)"
      print(name.padding(toLength: 8, withPad: " ", startingAt: 0) + line.text)
    }
    print(
      "all     " + Figures.bytes(forecast.hostPeakBytes).leftPadded(11) + " "
        + Figures.bytes(forecast.hostResidentBytes).leftPadded(11) + "\n")
    row("computing a step", time(forecast.time.compute))
    row("exchanges beside", time(forecast.time.exchange))
    row("sent a step", Figures.bytes(Int(forecast.sentBytesPerStep)) + " a rank")
    print("\nthe first rank")
  }

  /// All ways of spreading the recipe, beside each other.
  static func show(_ table: StrategyTable) {
    print(
      "\nways of spreading it             a rank    resident         all      a step   exchanges        sent")
    let best = table.best?.name
    for line in table.rows {
      let name = (line.name == best ? "▸ " : "  ") + line.name
      guard line.obstacle == nil, let peak = line.peakMemoryBytes, let resident = line.residentBytes,
        let host = line.hostResidentBytes, let seconds = line.stepSeconds,
        let exchange = line.exchangeSeconds,
        let sent = line.sentBytesPerStep
      else {
        let obstacle = line.obstacle ?? "does not go"
        print("\(name.padding(toLength: 28, withPad: " ", startingAt: 0)) –  \(obstacle.prefix(140))")
        continue
      }
      let figures = [
        Figures.bytes(peak), Figures.bytes(resident), Figures.bytes(host), time(seconds), time(exchange),
        Figures.bytes(Int(sent)),
      ]
      print(
        name.padding(toLength: 28, withPad: " ", startingAt: 0)
          + figures.map { $0.leftPadded(11) }.joined(separator: " ")
          + (line.fits ? "" : "  more than the machine has"))
    }
  }
}

extension String {
  /// Spaces before it, to a width.
  fileprivate func leftPadded(_ width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }
}
