import ArgumentParser
import Foundation
import Pando
import PandoData
import PandoMPI
import PandoPlanning
import PandoTraining

/// `pando plan`
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Says what a recipe will need and take, before it runs.",
    discussion:
      "Nothing is trained and no weights are made. Times rest on what 'pando plan --calibrate' has measured.")

  @Argument(
    help: "The recipe, a YAML file, or a standard workload: mlp, resnet18, gpt.",
    completion: .file(extensions: ["yaml", "yml"]))
  var recipe: String?
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Overrides a key of the recipe: train.steps=20.", valueName: "key=value"))
  var overrides: [String] = []
  @Option(help: ArgumentHelp("Recompute activations to fit: 8GiB; sets train.memory.", valueName: "bytes"))
  var memory: String?
  @Option(
    help: ArgumentHelp("Where the plan and pictures of it are written.", valueName: "dir"),
    completion: .directory)
  var out: String?
  @Option(help: "float32 or bf16; of a workload, as in 'pando bench'.") var precision: String?
  @Option(help: "Threads; by default what the recipe says, or one for each core.") var threads: Int?
  @Option(
    help: ArgumentHelp("Plan a transformer on this cluster instead: a YAML file.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml"]))
  var cluster: String?
  @Option(
    help: ArgumentHelp(
      "With --cluster: layers=24,width=2048,heads=16,context=2048,vocabulary=50000,batch=512.",
      valueName: "sizes"))
  var shape: String?
  @Option(
    help: ArgumentHelp(
      "With --cluster: data=8,tensor=4,pipeline=2,micro-batch=1,chunks=1,zero=0,recompute=1,overlap=0.",
      valueName: "sizes"))
  var strategy: String?
  @Option(help: "Processes to plan for, each with its own memory; with --cluster: processors to use.")
  var ranks: Int?
  @Flag(help: "Print how parameters are spread over the ranks, and what a step exchanges.") var parallel =
    false
  @Flag(help: "With --cluster: find the cheapest strategy that fits, for what --strategy leaves open.")
  var auto = false
  @Flag(help: "Measure what this machine can do, and keep it; a recipe may follow.") var calibrate = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    if let threads, threads < 1 { throw UsageError("--threads must be at least 1, got \(threads)") }
    if let cluster { return try plan(on: cluster) }
    guard shape == nil, strategy == nil, !auto else {
      throw UsageError(
        "--shape, --strategy and --auto go with --cluster; of a recipe, use --ranks and --set parallel=auto")
    }
    if calibrate, RankEnvironment(ProcessInfo.processInfo.environment) != nil {
      return try RankEnd.run { try CalibrateRanks(threads: threads ?? 1).work(json: json) }
    }
    if let ranks, ranks < 1 { throw UsageError("--ranks \(ranks): a run needs at least one rank") }
    guard calibrate || recipe != nil else {
      throw UsageError("name a recipe: pando plan recipes/digits.yaml; or measure: pando plan --calibrate")
    }
    guard let recipe else { return try measure(on: Device(named: "cpu", threads: threads)) }
    var (settings, task) = try opened(recipe)
    let ranks = ranks ?? PlanRanks.ranks(of: settings)
    // A workload's threads are those of one process.
    if ranks > 1, isWorkload(recipe) { settings.train.threads = nil }
    if ranks > 1 || parallel {
      if calibrate { try measure(on: try Device(named: "cpu", threads: threads)) }
      return try plan(settings, try task(), ranks: ranks, evaluates: !isWorkload(recipe))
    }
    settings.parallel.isAutomatic = false
    var device = try Device(
      named: "cpu", threads: threads ?? settings.train.threads, exact: settings.train.precision == .exact)
    if calibrate { try measure(on: device, folder: settings.train.offload.folder) }
    // As a run would choose that measures nothing anew.
    device = device.measuringMethods(for: .zero)
    let ceilings = try CalibrationFile().ceilings(threads: device.threads)
    if let ceilings { device.ceilings = ceilings }
    let run = try TrainingRun(settings, task: try task(), device: device, isPlan: true)
    let forecast = try RunForecast(run, isCalibrated: ceilings != nil, evaluates: !isWorkload(recipe))
    if let out { try write(forecast, timeline: run.timelineSVG(), to: out) }
    if json { try JSONOutput.print(forecast) } else { show(forecast) }
  }

  /// Plans for several ranks.
  private func plan(_ recipe: Recipe, _ task: TrainingTask, ranks: Int, evaluates: Bool) throws {
    let spread = try PlanRanks(recipe, task: task, ranks: ranks, threads: threads)
    // The way that is asked for comes first: its mistakes, and what the process takes before others were looked at.
    let early = recipe.parallel.isAutomatic ? nil : try spread.plan(nil)
    let table = ranks > 1 ? try spread.table() : nil
    let ready = try early ?? spread.plan(table)
    var forecast = try RanksForecast(ready, on: spread.machine, evaluates: evaluates)
    forecast.strategies = table?.rows ?? []
    if let out { try write(forecast, timeline: ready.timelineSVG(), to: out) }
    if json { return try JSONOutput.print(forecast) }
    if parallel { PlanRanksText.show(strategy: ready) }
    PlanRanksText.show(forecast)
    show(forecast.first)
    if let table { PlanRanksText.show(table) }
  }

  /// Plans for machines that need not be there.
  private func plan(on cluster: String) throws {
    guard recipe == nil, let shape else {
      throw UsageError("--cluster plans a transformer by its sizes: give --shape, and no recipe")
    }
    let plan = PlanCluster(cluster: cluster, shape: shape, strategy: strategy, ranks: ranks, auto: auto)
    do {
      let forecast = try plan.forecast()
      if json { try JSONOutput.print(forecast) } else { PlanCluster.show(forecast) }
    } catch let error as ClusterError { throw UsageError(error.description) }
  }

  /// Whether a name is a workload's and no file's.
  private func isWorkload(_ name: String) -> Bool {
    !FileManager.default.fileExists(atPath: name) && Workload.all.contains { $0.name == name }
  }

  /// The recipe, and its data.
  private func opened(_ name: String) throws -> (Recipe, () throws -> TrainingTask) {
    let memory = memory.map { ["train.memory=\($0)", "train.recompute=auto"] } ?? []
    if let workload = Workload.all.first(where: { $0.name == name && $0.mode == .training }), isWorkload(name)
    {
      guard overrides.isEmpty else { throw UsageError("--set goes with a recipe, and \(name) is a workload") }
      guard let precision = Recipe.Precision(rawValue: precision ?? "float32"), precision != .exact else {
        throw UsageError("--precision is float32 or bf16, not '\(precision ?? "")'")
      }
      var recipe = workload.recipe(precision: precision, threads: Machine.threads)
      if let text = self.memory {
        guard let bytes = ByteSize.parse(text) else {
          throw UsageError("--memory is a size such as 8GiB, not '\(text)'")
        }
        (recipe.train.memory, recipe.train.recompute) = (bytes, .auto)
      }
      return (recipe, { try workload.task() })
    }
    guard precision == nil else {
      throw UsageError("--precision goes with a workload; of a recipe, use --set train.precision=bf16")
    }
    let recipe = try Recipe.load(path: name, overrides: overrides + memory)
    try DataFolder.fetch(recipe.data.source)
    return (recipe, { try TrainingTask(recipe, dataFolder: DataFolder.url) })
  }

  /// - Parameter folder: on the disk that is measured; the working folder where `nil`.
  private func measure(on device: Device, folder: String? = nil) throws {
    let line = ProgressNote("calibrate")
    defer { line.clear() }
    var ceilings = try Calibration.measure(
      on: device,
      progress: { name, done, count in
        line.update("\(done + 1) of \(count): \(name)")
      })
    line.update("the disk")
    let place = URL(fileURLWithPath: folder ?? ".", isDirectory: true)
    var problem: OffloadError?
    do { ceilings.disk = try DiskCalibration.measure(in: place) } catch let error as OffloadError {
      problem = error
    }
    let file = CalibrationFile()
    try file.save(ceilings, threads: device.threads)
    line.clear()
    if !json {
      print("\(device.threads) threads, kept in \(file.url.path)")
      CeilingsTable.show(ceilings)
    }
    if let both = CalibrateRanks(cores: ProcessInfo.processInfo.activeProcessorCount) {
      if MPIWorld.problem == nil {
        line.update("two ranks at once")
        try both.launch(json: json)
        line.clear()
      } else {
        Terminal.note(
          "two ranks are not measured: there is no Open MPI here; 'pando doctor' says how to get it")
      }
    }
    if json {
      if recipe == nil { try JSONOutput.print(ceilings) }
      return
    }
    if let disk = ceilings.disk {
      print(
        String(
          format: "disk of %@: reads %.2f GB/s, writes %.2f GB/s, from the system's cache %.2f GB/s",
          place.path, 1e-9 / disk.perByteRead, 1e-9 / disk.perByteWritten, 1e-9 / disk.perByteCached))
    }
    if let problem { print("disk not measured: \(problem)") }
  }

  private func write(_ forecast: some Encodable, timeline: String, to path: String) throws {
    let folder = URL(fileURLWithPath: path, isDirectory: true)
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw UsageError("--out: cannot make the folder \(path): \(error.localizedDescription)")
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write(try encoder.encode(forecast), to: folder.appendingPathComponent("forecast.json"))
    try AtomicFile.write(
      Data(timeline.utf8), to: folder.appendingPathComponent("memory-timeline.svg"))
  }

  private func show(_ forecast: RunForecast) {
    func row(_ name: String, _ text: String) {
      print("\(name.padding(toLength: 20, withPad: " ", startingAt: 0)) \(text)")
    }
    row("parameters", Figures.grouped(forecast.parameters))
    row("operations a step", String(format: "%.4g GFLOP", Double(forecast.flopsPerStep) / 1e9))
    row("memory", Figures.bytes(forecast.peakMemoryBytes))
    for part in forecast.memory where part.bytes > 0 { row("  \(part.name)", Figures.bytes(part.bytes)) }
    row("resident", Figures.bytes(forecast.residentBytes))
    if forecast.offloadedBytes > 0 { row("in files", Figures.bytes(forecast.offloadedBytes)) }
    print("\nin the step's arena when it is fullest")
    for living in forecast.alive.prefix(8) {
      let count = living.count > 1 ? "\(living.count) × " : ""
      row("  \(Figures.bytes(living.bytes))", "\(count)\(living.type) of \(living.name)")
    }
    print("")
    let trust = forecast.isCalibrated ? "" : "  (round figures; measure with: pando plan --calibrate)"
    row("time a step", forecast.stepSeconds.asTime + trust)
    row("time an epoch", forecast.epochSeconds.asTime)
    let error = forecast.joulesPerStep > 0 ? forecast.joulesPerStepError / forecast.joulesPerStep * 100 : 0
    row(
      "energy a step",
      Figures.quantity(forecast.joulesPerStep, "J") + String(format: " ± %.0f %% (a model)", error))
    row("time of \(forecast.steps) steps", (forecast.stepSeconds * Double(forecast.steps)).asTime)
    guard forecast.pareto.count > 1 else { return }
    print("\nmemory against time, by what is computed again")
    for point in forecast.pareto {
      row("  \(Figures.bytes(point.memoryBytes))", "\(point.stepSeconds.asTime) a step")
    }
  }
}

extension Double {
  /// The number as seconds, for people.
  fileprivate var asTime: String {
    self < 1
      ? String(format: "%.2f ms", self * 1e3)
      : self < 120 ? String(format: "%.1f s", self) : Figures.duration(self)
  }
}
