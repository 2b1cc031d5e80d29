import ArgumentParser
import Foundation
import PandoMPI

/// `pando ranks`
struct RanksCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ranks", abstract: "Checks that ranks can be started and exchange, and how fast.",
    discussion:
      "Starts the ranks as a training run would, does every exchange on known numbers, and times the sum over "
      + "all ranks from 1 KiB to 64 MiB beside Open MPI's own.")

  @Option(help: "Processes to start.") var ranks = 2
  @Option(help: ArgumentHelp("The hosts to start them on, with ranks: a,b:4.", valueName: "hosts"))
  var hosts: String?
  @Flag(help: "Only check; take no times.") var check = false
  @Flag(help: "Let ranks of one host exchange as those of several do.") var messages = false
  @Flag(help: "Print JSON.") var json = false

  /// What comes out.
  private struct Report: Encodable {
    let ranks: Int
    let sharesMemory: Bool
    let digest: String
    let allReduce: [ExchangeMeasurement]
  }

  func run() throws {
    if RankEnvironment(ProcessInfo.processInfo.environment) != nil { return try RankEnd.run(work) }
    let launcher = Launcher(
      ranks: ranks, hosts: try hosts.map { try Host.list($0) } ?? [], threads: 1, program: RankEnd.program,
      arguments: Array(CommandLine.arguments.dropFirst()))
    try RankEnd.launch(launcher)
  }

  /// What each rank does.
  private func work() throws {
    let spins = ProcessInfo.processInfo.activeProcessorCount >= ranks
    let world = try MPIWorld(settings: MPISettings(sharesMemory: !messages, spins: spins))
    let communicator = world.communicator
    var agreement = RunAgreement()
    agreement.addProgram()
    agreement.add("command", text: CommandLine.arguments.dropFirst().joined(separator: "\n"))
    try agreement.check(communicator)
    let digest = try ExchangeCheck(communicator).digest
    var measurements: [ExchangeMeasurement] = []
    if !check {
      for power in stride(from: 10, through: 26, by: 2) {
        measurements.append(try ExchangeMeasurement.run(communicator, bytes: 1 << power))
      }
    }
    try world.finish()
    guard communicator.rank == 0 else { return }
    let report = Report(
      ranks: communicator.size, sharesMemory: communicator.sharesMemory, digest: String(digest, radix: 16),
      allReduce: measurements)
    if json { return try JSONOutput.print(report) }
    let way = report.sharesMemory ? "shared memory" : "messages"
    print("\(report.ranks) rank\(report.ranks == 1 ? "" : "s"), exchanging through \(way): all is right")
    guard !check else { return }
    print("     bytes   all-reduce   MPI_Allreduce   speed")
    for row in measurements {
      let size = String(row.bytes)
      print(
        String(repeating: " ", count: max(0, 10 - size.count)) + size
          + String(format: "%10.1f us %12.1f us %7.2f", row.microseconds, row.mpiMicroseconds, row.speed))
    }
  }
}
