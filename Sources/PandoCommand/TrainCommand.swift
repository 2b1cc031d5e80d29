import ArgumentParser
import Foundation
import Pando
import PandoCPU
import PandoData
import PandoEngine
import PandoMPI
import PandoPlanning
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
  @Option(help: "Processes to train on.") var ranks = 1
  @Option(help: ArgumentHelp("The hosts of the ranks, with how many: a,b:4.", valueName: "hosts"))
  var hosts: String?
  @Option(help: "How often ranks are started again, from the last checkpoint, when one dies.")
  var maxRestarts = 0
  @Option(help: "The fewest ranks to go on with where one cannot be replaced; by default all.")
  var minRanks: Int?
  @Option(
    help: ArgumentHelp(
      "Seconds after which ranks that wait for another one give up, to be started again.",
      valueName: "seconds"))
  var hangLimit = 600.0
  @Option(help: "cpu or reference.") var device = "cpu"
  @Option(
    help: ArgumentHelp("The run's folder; by default runs/NAME.", valueName: "dir"), completion: .directory)
  var out: String?
  @Flag(help: "Go on from the latest checkpoint in the run's folder.") var resume = false
  @Flag(help: "Write a timeline of a few steps to trace.json in the run's folder; ui.perfetto.dev shows it.")
  var profile = false
  @Flag(help: "Print the summary as JSON.") var json = false

  func run() throws {
    if let environment = RankEnvironment(ProcessInfo.processInfo.environment) {
      return try RankEnd.run { try work(environment) }
    }
    guard ranks > 0 else { throw UsageError("--ranks \(ranks): a run needs at least one rank") }
    guard hangLimit > 0 else { throw UsageError("--hang-limit \(hangLimit): expected seconds above 0") }
    guard minRanks.map({ (1...ranks).contains($0) }) ?? true, maxRestarts >= 0 else {
      throw UsageError("--min-ranks must be from 1 to --ranks, and --max-restarts 0 or more")
    }
    var recipe = try Recipe.load(path: self.recipe, overrides: overrides)
    if ranks > 1 || hosts != nil || maxRestarts > 0 { return try launch(recipe) }
    // One rank has one way to go.
    recipe.parallel.isAutomatic = false
    try DataFolder.fetch(recipe.data.source)
    let signal = StopSignal()
    let outcome = try session(recipe, .single, threads: recipe.train.threads)
      .run(note: { Terminal.note($0) }, shouldStop: { signal.isSet })
    tell(outcome)
  }

  /// Starts the ranks and watches over them.
  private func launch(_ recipe: Recipe) throws {
    _ = try recipe.mesh(ranks: ranks)
    if !recipe.isSpread, !recipe.parallel.isAutomatic { try recipe.requireSamples(forRanks: ranks) }
    // Once, before every rank wants them.
    try DataFolder.fetch(recipe.data.source)
    let arguments = Array(CommandLine.arguments.dropFirst())
    var launcher = Launcher(
      ranks: ranks, hosts: try hosts.map { try Host.list($0) } ?? [], threads: recipe.train.threads,
      program: RankEnd.program, arguments: arguments)
    launcher.terminalColumns = Terminal.columns
    let limits = Supervisor.Limits(maxRestarts: maxRestarts, minRanks: minRanks)
    let (signal, folder) = (StopSignal(), folder(recipe))
    let outcome = try Supervisor(launcher, limits: limits).run(
      arguments: { restarts in restarts > 0 && !resume ? arguments + ["--resume"] : arguments },
      progress: { folder.checkpoints.steps.last ?? 0 }, shouldStop: { signal.isSet },
      note: { Terminal.note($0) })
    if case .failed(let code, let text) = outcome {
      // What was wrong with the recipe, a rank has said.
      if code == 2 { throw ExitCode(2) }
      throw LaunchFailure(description: text)
    }
  }

  /// Trains as one of several ranks.
  private func work(_ environment: RankEnvironment) throws {
    var recipe = try Recipe.load(path: self.recipe, overrides: overrides)
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let threads =
      recipe.train.threads
      ?? environment.threads(cores: cores, hostCores: ProcessInfo.processInfo.processorCount)
    let local = environment.localSize ?? environment.size ?? 1
    let spins = ProcessInfo.processInfo.processorCount >= local * threads
    let world = try MPIWorld(settings: MPISettings(spins: spins))
    let ranks = Ranks(world.communicator)
    try agreement(recipe).check(world.communicator)
    if ranks.isFirst { try DataFolder.fetch(recipe.data.source) }
    try world.communicator.barrier(label: "data")
    if recipe.parallel.isAutomatic { recipe = try resolved(recipe, ranks, threads: threads) }
    let signal = StopSignal()
    let watchdog = watchdog(world.communicator, folder(recipe))
    defer { watchdog.stop() }
    // A rank's standard error is a pipe of whoever started it.
    let session = try session(
      recipe, ranks, threads: threads, restarts: environment.restarts,
      columns: { environment.terminalColumns ?? Terminal.columns })
    let outcome =
      try session
      .run(note: { if ranks.isFirst { Terminal.note($0) } }, shouldStop: { signal.isSet })
    try world.finish()
    if ranks.isFirst { tell(outcome) }
  }

  /// The recipe with the way of spreading it that the first rank finds to be the best, the same on every rank.
  private func resolved(_ recipe: Recipe, _ ranks: Ranks, threads: Int) throws -> Recipe {
    var text = ""
    if ranks.isFirst {
      let task = try TrainingTask(recipe, dataFolder: DataFolder.url)
      text = try PlanRanks.resolved(recipe, task: task, ranks: ranks.count, threads: threads) {
        Terminal.note($0)
      }.yaml
    }
    return try Recipe(yaml: ranks.sharing(text))
  }

  /// What all ranks must have alike: what they run, what they exchange, and where the result must not depend on them the
  /// bits that they compute.
  private func agreement(_ recipe: Recipe) -> RunAgreement {
    var agreement = RunAgreement()
    agreement.addProgram()
    agreement.add("recipe", text: recipe.yaml)
    agreement.add(
      "set of flags", text: "--device \(device) --resume \(resume) --profile \(profile) --out \(out ?? "")")
    if LocalData.isPath(recipe.data.source) {
      agreement.add(
        "file \(recipe.data.source)", file: URL(fileURLWithPath: recipe.data.source),
        mend: "give all hosts the same data")
    }
    if recipe.reproducible {
      agreement.add(
        "instruction set", text: InstructionSet.name,
        mend: "set PANDO_ISA on all hosts to one that every host has: sse2, avx2 or avx512")
    }
    return agreement
  }

  /// Says which rank is waited for, and gives the run up where that takes too long.
  private func watchdog(_ communicator: MPICommunicator, _ folder: RunFolder) -> Watchdog {
    let limits = Watchdog.Limits(warnSeconds: min(30, hangLimit / 2), abortSeconds: hangLimit)
    return Watchdog(communicator.recorder, limits: limits, note: { Terminal.note($0) }) { text in
      let place = folder.url.appending(path: "exchanges-\(communicator.rank).json")
      do { try communicator.recorder.write(to: place) } catch { Terminal.note("warning: \(error)") }
      communicator.abort(text)
    }
  }

  private func folder(_ recipe: Recipe) -> RunFolder {
    RunFolder(URL(fileURLWithPath: out ?? "runs/\(recipe.name)", isDirectory: true))
  }

  private func session(
    _ recipe: Recipe, _ ranks: Ranks, threads: Int?, restarts: Int = 0,
    columns: @escaping () -> Int? = { Terminal.columns }
  ) throws -> TrainingSession {
    var device: Device
    do {
      device = try Device(named: self.device, threads: threads, exact: recipe.train.precision == .exact)
        .measuringMethods()
    } catch { throw UsageError("--device: \(error)") }
    // Ranks must choose alike, and each host has measured for itself.
    if ranks.count == 1, let ceilings = try CalibrationFile().ceilings(threads: device.threads) {
      device.ceilings = ceilings
    }
    return TrainingSession(
      recipe, folder: folder(recipe), resumes: resume, dataFolder: DataFolder.url, device: device,
      progress: ProgressLine(columns: columns), ranks: ranks, profiles: profile, restarts: restarts)
  }

  private func tell(_ outcome: TrainingSession.Outcome) {
    if json { print(outcome.summary.json) } else { show(outcome) }
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
    func line(_ name: String, _ text: String) {
      print("\(name.padding(toLength: 20, withPad: " ", startingAt: 0)) \(text)")
    }
    for (name, value) in summary.eval.sorted(by: { $0.key < $1.key }) {
      line(name, name == "accuracy" ? String(format: "%.2f %%", value * 100) : String(format: "%.4f", value))
    }
    line("seconds", String(format: "%.1f", summary.seconds))
    if let energy = summary.energy { line("energy", energy.text) }
    if summary.ranks > 1 {
      let (sent, share) = (summary.sentBytesPerStep / 1e6, summary.exchangeShare * 100)
      line("sent a step", String(format: "%.3f MB a rank, which took %.1f %% of its time", sent, share))
    }
    if let loss = summary.balanceLoss {
      let dropped =
        summary.droppedShare.map { String(format: ", %.1f %% of choices dropped", $0 * 100) } ?? ""
      line("balance of experts", String(format: "%.3f, where 1 is even", loss) + dropped)
    }
    if let bubble = summary.bubble, let formula = summary.bubbleFormula {
      line(
        "bubble",
        String(format: "%.1f %% of the work; by the schedule alone %.1f %%", bubble * 100, formula * 100))
    }
    if summary.ranks > 1, let most = summary.residentBytes.max(),
      let rank = summary.residentBytes.firstIndex(of: most),
      summary.plannedResidentBytes.indices.contains(rank)
    {
      let planned = Figures.bytes(summary.plannedResidentBytes[rank])
      line("memory of a process", "\(Figures.bytes(most)) at the most, on rank \(rank); \(planned) planned")
    }
    if summary.restarts > 0 {
      line("restarts", "\(summary.restarts)")
      line("wasted steps", "\(summary.wastedSteps), done again after a restart")
    }
    if summary.ranks < ranks { line("ranks", "\(summary.ranks) of \(ranks) at the end") }
    if let text = outcome.rankTimes?.text { line("slowest rank", text) }
    if profile { line("timeline", "\(path)/trace.json") }
    line("report", "\(path)/report.html")
  }

  /// The flags that lead back to the same run.
  private var resumeFlags: String {
    var flags = overrides.map { "--set \($0)" }
    if ranks > 1 { flags.append("--ranks \(ranks)") }
    if let hosts { flags.append("--hosts \(hosts)") }
    if maxRestarts > 0 { flags.append("--max-restarts \(maxRestarts)") }
    if let minRanks { flags.append("--min-ranks \(minRanks)") }
    if let out { flags.append("--out \(out)") }
    return flags.map { " " + $0 }.joined()
  }

  private static func shortened(_ path: String) -> String {
    let here = FileManager.default.currentDirectoryPath + "/"
    return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
  }
}
