import ArgumentParser
import Foundation
import PandoCPU
import PandoTraining

/// `pando`: one verb, one file.
struct PandoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pando",
    abstract: "Trains neural networks and makes them scale.",
    version: Version.text,
    subcommands: [
      TrainCommand.self, PlanCommand.self, ScaleCommand.self, CheckpointCommand.self, GenerateCommand.self,
      DataCommand.self,
      BenchCommand.self,
      RanksCommand.self,
      DoctorCommand.self,
      SchemaCommand.self,
    ])
}

/// The version of this build.
enum Version {
  static let text = "0.1.0"
}

@main
enum Main {
  static func main() {
    // A reader that goes away (`pando … | head`) must not look like a crash.
    signal(SIGPIPE, SIG_DFL)
    ThreadTeam.configure()
    do {
      if let problem = InstructionSet.problem { throw UsageError(problem) }
      try Verbs.check(Array(CommandLine.arguments.dropFirst()))
      var command = try PandoCommand.parseAsRoot()
      try command.run()
    } catch {
      Failure.exit(error)
    }
  }
}
