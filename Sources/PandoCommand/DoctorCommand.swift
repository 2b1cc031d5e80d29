import ArgumentParser
import Foundation
import Pando
import PandoCPU
import PandoData
import PandoEnergy
import PandoMPI

/// `pando doctor`
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Says what is installed, what is missing, and how to get it.")

  @Flag(help: "Print JSON.") var json = false

  /// One thing looked at.
  struct Finding: Encodable {
    let name: String
    let isGood: Bool
    let detail: String
    /// The command that mends it.
    let mend: String?
  }

  func run() throws {
    let findings = Self.findings()
    if json { return try JSONOutput.print(findings) }
    let width = findings.map(\.name.count).max() ?? 0
    for finding in findings {
      let name = finding.name.padding(toLength: width, withPad: " ", startingAt: 0)
      print(
        "\(finding.isGood ? "ok     " : "missing")  \(name)  \(finding.detail)"
          + (finding.mend.map { "\n         \(String(repeating: " ", count: width))  get it with: \($0)" }
            ?? ""))
    }
  }

  static func findings() -> [Finding] {
    var findings = [
      Finding(name: "pando", isGood: true, detail: Version.text, mend: nil),
      Finding(
        name: "processor", isGood: true,
        detail:
          "\(Processor.name), \(ProcessInfo.processInfo.activeProcessorCount) cores, \(Processor.vectors)",
        mend: nil),
      Finding(
        name: "memory", isGood: true, detail: "\(ProcessInfo.processInfo.physicalMemory >> 20) MiB", mend: nil
      ),
      Finding(
        name: "instructions", isGood: true,
        detail: "\(InstructionSet.name) in use (PANDO_ISA, the best by default)", mend: nil),
      Finding(name: "oneDNN", isGood: true, detail: ProductLibrary.description, mend: nil),
      Finding(
        name: "threads", isGood: true,
        detail: "\(Machine.threads) by default (OMP_NUM_THREADS, train.threads)", mend: nil),
    ]
    let meter = EnergyMeter(threads: Machine.threads)
    findings.append(
      Finding(
        name: "energy", isGood: meter.problem == nil, detail: meter.problem ?? meter.description,
        mend: meter.problem == nil ? nil : "sudo chmod -R a+r /sys/class/powercap/*/energy_uj"))
    let mpirun = Launcher.mpirun(path: ProcessInfo.processInfo.environment["PATH"])
    let problem = MPIWorld.problem ?? (mpirun == nil ? "there is no mpirun" : nil)
    findings.append(
      Finding(
        name: "Open MPI", isGood: problem == nil,
        detail: problem.map { "\($0); several ranks need it, one does not" } ?? mpirun!,
        mend: problem == nil ? nil : "sudo apt-get install openmpi-bin"))
    for dataset in DatasetCatalogue.all {
      let place = dataset.location(in: DataFolder.url)?.path
      findings.append(
        Finding(
          name: "data \(dataset.card.name)", isGood: place != nil, detail: place ?? "not on this machine",
          mend: place == nil ? "pando data get \(dataset.card.name)" : nil))
    }
    return findings
  }
}

/// What the processor says of itself.
enum Processor {
  static var name: String { Machine.processor }

  /// The widest vectors it has, and whether it multiplies bfloat16.
  static var vectors: String {
    let flags = Set((Machine.processorField("flags") ?? "").split(separator: " ").map(String.init))
    let width = flags.contains("avx512f") ? "AVX-512" : flags.contains("avx2") ? "AVX2" : "plain vectors"
    return flags.contains("avx512_bf16") ? "\(width) with bf16" : width
  }
}
