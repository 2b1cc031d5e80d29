import ArgumentParser
import Foundation
import Pando
import PandoTraining

/// `pando bench`
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measures the standard workloads on this machine.",
    discussion:
      "Without --workload all of them: mlp, resnet18, gpt, the last two in bf16 too. Times are of whole training steps."
  )

  @Argument(help: "A workload; the same as --workload.") var name: String?
  @Option(help: "mlp, resnet18 or gpt.") var workload: String?
  @Option(help: "float32 or bf16; by default float32, and without a workload both where it is worth while.")
  var precision: String?
  @Option(help: "Samples in a step.") var batch: Int?
  @Option(help: "Steps to measure.") var steps: Int?
  @Option(help: "cpu or reference.") var device = "cpu"
  @Option(help: "Threads; by default one for each core.") var threads: Int?
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let chosen = try chosen()
    for (flag, value) in [("--batch", batch), ("--steps", steps), ("--threads", threads)] {
      if let value, value < 1 { throw UsageError("\(flag) must be at least 1, got \(value)") }
    }
    let device: Device
    do { device = try Device(named: self.device, threads: threads) } catch {
      throw UsageError("--device: \(error)")
    }
    var results: [WorkloadBenchmark.Result] = []
    for (workload, precision) in chosen {
      let result =
        chosen.count == 1
        ? try measure(workload, precision, device) : try measureApart(workload, precision)
      results.append(result)
      if !json { show(result, isFirst: results.count == 1) }
    }
    if json { try JSONOutput.print(results) }
  }

  private func measure(
    _ workload: Workload, _ precision: Recipe.Precision, _ device: Device
  ) throws -> WorkloadBenchmark.Result {
    let line = ProgressNote(workload.rawValue)
    defer { line.clear() }
    return try WorkloadBenchmark(workload, batch: batch, steps: steps, precision: precision, device: device)
      .run(
        matmulLimit: { try WorkloadBenchmark.matmulGflops(on: device) },
        progress: { line.update("step \($0) of \($1)") })
  }

  /// Measures in a process of its own, so that its memory and its time to the first step are its own.
  private func measureApart(
    _ workload: Workload, _ precision: Recipe.Precision
  ) throws -> WorkloadBenchmark.Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = [
      "bench", "--workload", workload.rawValue, "--json", "--device", device, "--precision",
      precision.rawValue,
    ]
    for (flag, value) in [("--batch", batch), ("--steps", steps), ("--threads", threads)] {
      if let value { process.arguments! += [flag, "\(value)"] }
    }
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0,
      let result = try JSONDecoder().decode([WorkloadBenchmark.Result].self, from: data).first
    else { throw TrainingError("measuring \(workload.rawValue) failed") }
    return result
  }

  private func chosen() throws -> [(Workload, Recipe.Precision)] {
    let precision = try precision.map { text in
      guard let known = Recipe.Precision(rawValue: text) else {
        throw UsageError("--precision is float32 or bf16, not '\(text)'")
      }
      return known
    }
    guard let text = workload ?? name else {
      return Workload.allCases.flatMap { workload in
        (precision.map { [$0] } ?? workload.precisions).map { (workload, $0) }
      }
    }
    guard let known = Workload(rawValue: text) else {
      let names = Workload.allCases.map(\.rawValue)
      let near = nearestName(to: text, among: names).map { "; did you mean '\($0)'?" } ?? "."
      throw UsageError("no workload is called '\(text)'\(near) There are: \(names.joined(separator: ", "))")
    }
    return [(known, precision ?? .float32)]
  }

  private func show(_ result: WorkloadBenchmark.Result, isFirst: Bool) {
    if isFirst {
      print(
        "workload   precision  threads   step ms   (min)   GFLOP/s  of limit   planned MiB  peak MiB  resident MiB  first step s"
      )
    }
    let share = result.gflops / result.matmulLimitGflops * 100
    let mib = 1024.0 * 1024
    print(
      String(
        format: "%@ %@ %7d %9.2f %7.2f %9.1f %8.0f%% %13.1f %9.1f %13.1f %13.2f",
        result.name.padding(toLength: 10, withPad: " ", startingAt: 0),
        result.precision.padding(toLength: 9, withPad: " ", startingAt: 0), result.threads, result.stepMs,
        result.stepMsMin, result.gflops, share, Double(result.plannedMemoryBytes) / mib,
        Double(result.peakMemoryBytes) / mib, Double(result.residentBytes) / mib, result.firstStepS))
  }
}
