import ArgumentParser
import Foundation
import Pando
import PandoEnergy
import PandoMPI
import PandoPlanning
import PandoTraining

/// `pando bench`
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measures the standard workloads, or a recipe's steps, on this machine.",
    discussion: """
      \(Workload.all.filter { $0.mode == .training }.map(\.name).joined(separator: ", ")) are training steps, optimizer \
      included; \(Workload.all.filter { $0.mode == .inference }.map(\.name).joined(separator: ", ")) are forward \
      passes, with the batch size in the name. Without a name all are measured. Of a recipe training steps on its \
      first batch are measured, and nothing is kept.
      """)

  @Argument(
    help: "A workload, the same as --workload; or a recipe, a YAML file.",
    completion: .file(extensions: ["yaml", "yml"]))
  var name: String?
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Overrides a key of the recipe: model.width=256.", valueName: "key=value"))
  var overrides: [String] = []
  @Option(help: "The workload.") var workload: String?
  @Option(help: "float32 or bf16; by default float32, and without a workload both where it is worth while.")
  var precision: String?
  @Option(help: "Samples in a step.") var batch: Int?
  @Option(help: "Steps to measure.") var steps: Int?
  @Option(help: "cpu or reference.") var device = "cpu"
  @Option(help: "Threads; by default one for each core.") var threads: Int?
  @Option(help: "The country of the electricity, for its CO₂, such as FR; by default the world's mean.")
  var country: String?
  @Option(
    name: .customLong("grams-per-kwh"), help: "Grams of CO₂ for each kilowatt-hour, in place of a country's.")
  var gramsPerKilowattHour: Double?
  @Flag(
    help:
      "Show every kernel of the compiled plan: its time, its speed, and its share of the machine's limits.")
  var explain = false
  @Flag(
    help: ArgumentHelp(
      "After the first step, do as many as each line on standard input says and answer with their times as JSON.",
      visibility: .hidden))
  var onRequest = false
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    if explain && onRequest { throw ValidationError("--explain and --on-request exclude each other") }
    if onRequest && name == nil && workload == nil {
      throw ValidationError("--on-request needs the name of a workload")
    }
    if recipePath == nil && !overrides.isEmpty { throw ValidationError("--set goes with a recipe") }
    if recipePath != nil && precision != nil {
      throw ValidationError("--precision goes with a workload; of a recipe, use --set train.precision=bf16")
    }
  }

  func run() throws {
    let chosen = try chosen()
    let intensity = try intensity()
    for (flag, value) in [("--batch", batch), ("--steps", steps), ("--threads", threads)] {
      if let value, value < 1 { throw UsageError("\(flag) must be at least 1, got \(value)") }
    }
    var device: Device
    // Either all are exact, by `--precision`, or none is.
    let isExact = chosen.allSatisfy { $0.1 == .exact }
    do {
      device = try Device(named: self.device, threads: threads ?? chosen[0].0.threads, exact: isExact)
        .measuringMethods()
    } catch { throw UsageError("--device: \(error)") }
    let ceilings = try CalibrationFile().ceilings(threads: device.threads)
    if let ceilings { device.ceilings = ceilings }
    if onRequest {
      let (workload, precision) = chosen[0]
      guard let environment = RankEnvironment(ProcessInfo.processInfo.environment) else {
        return try BenchServer(workload, precision, device).serve()
      }
      return try RankEnd.run {
        try BenchServer.serve(workload, precision, device.with(methods: nil), as: environment)
      }
    }
    if explain {
      let explanations = try chosen.map {
        try PlanExplanation(prepare($0.0, $0.1, device), steps: steps)
      }
      return json ? try JSONOutput.print(explanations) : explanations.forEach { BenchTables.show($0) }
    }
    var results: [WorkloadBenchmark.Result] = []
    for (workload, precision) in chosen {
      let result =
        chosen.count == 1
        ? try measure(workload, precision, device, intensity, isCalibrated: ceilings != nil)
        : try measureApart(workload, precision)
      results.append(result)
      if !json { BenchTables.show(result, isFirst: results.count == 1) }
    }
    if json { try JSONOutput.print(results) } else { BenchTables.showEnergy(results) }
  }

  private func prepare(
    _ workload: Workload, _ precision: Recipe.Precision, _ device: Device
  ) throws -> PreparedWorkload {
    let line = ProgressNote(workload.name)
    line.update("measuring")
    defer { line.clear() }
    return try PreparedWorkload(workload, precision: precision, device: device)
  }

  private func measure(
    _ workload: Workload, _ precision: Recipe.Precision, _ device: Device, _ intensity: CarbonIntensity,
    isCalibrated: Bool
  ) throws -> WorkloadBenchmark.Result {
    let line = ProgressNote(workload.name)
    defer { line.clear() }
    return try WorkloadBenchmark(
      workload, steps: steps, precision: precision, device: device, intensity: intensity,
      isCalibrated: isCalibrated
    )
    .run { line.update("step \($0) of \($1)") }
  }

  /// Measures in a process of its own, so that its memory and its time to the first step are its own.
  private func measureApart(
    _ workload: Workload, _ precision: Recipe.Precision
  ) throws -> WorkloadBenchmark.Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = [
      "bench", "--workload", workload.name, "--json", "--device", device, "--precision",
      precision.rawValue,
    ]
    for (flag, value) in [("--batch", batch), ("--steps", steps), ("--threads", threads)] {
      if let value { process.arguments! += [flag, "\(value)"] }
    }
    if let country { process.arguments! += ["--country", country] }
    if let gramsPerKilowattHour { process.arguments! += ["--grams-per-kwh", "\(gramsPerKilowattHour)"] }
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0,
      let result = try JSONDecoder().decode([WorkloadBenchmark.Result].self, from: data).first
    else { throw TrainingError("measuring \(workload.name) failed") }
    return result
  }

  private func intensity() throws -> CarbonIntensity {
    if let grams = gramsPerKilowattHour {
      guard grams >= 0, grams.isFinite, country == nil else {
        throw UsageError("--grams-per-kwh is a number, 0 or more, and excludes --country; got \(grams)")
      }
      return CarbonIntensity(gramsPerKilowattHour: grams)
    }
    guard let country else { return .world }
    guard let found = CarbonIntensity(country: country) else {
      let near = nearestName(to: country, among: CarbonIntensity.countries).map { "did you mean '\($0)'?" }
      throw UsageError("--country: '\(country)' is not in the table; \(near ?? "give --grams-per-kwh")")
    }
    return found
  }

  /// The argument, where it names a recipe.
  private var recipePath: String? {
    guard let name, !Workload.all.contains(where: { $0.name == name }) else { return nil }
    return [".yaml", ".yml"].contains { name.hasSuffix($0) } || name.contains("/") ? name : nil
  }

  /// Training steps of the recipe at `path`.
  private func ofRecipe(_ path: String) throws -> Workload {
    let recipe = try Recipe.load(path: path, overrides: overrides)
    try DataFolder.fetch(recipe.data.source)
    return Workload(recipe) { try TrainingTask(recipe, dataFolder: DataFolder.url) }
  }

  private func chosen() throws -> [(Workload, Recipe.Precision)] {
    if let recipePath {
      var workload = try ofRecipe(recipePath)
      if let batch { workload.batch = batch }
      return workload.precisions.map { (workload, $0) }
    }
    let precision = try precision.map { text in
      guard let known = Recipe.Precision(rawValue: text) else {
        throw UsageError("--precision is float32 or bf16, not '\(text)'")
      }
      return known
    }
    var workloads = Workload.all
    if let text = workload ?? name {
      workloads = workloads.filter { $0.name == text }
      guard !workloads.isEmpty else {
        let names = Workload.all.map(\.name)
        let near = nearestName(to: text, among: names).map { "; did you mean '\($0)'?" } ?? "."
        throw UsageError(
          "no workload is called '\(text)'\(near) There are: \(names.joined(separator: ", "))")
      }
    }
    if let batch { for place in workloads.indices { workloads[place].batch = batch } }
    let isOne = (workload ?? name) != nil
    return workloads.flatMap { workload in
      (precision.map { [$0] } ?? (isOne ? [.float32] : workload.precisions)).map { (workload, $0) }
    }
  }
}
