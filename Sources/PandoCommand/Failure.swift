import ArgumentParser
import Foundation
import Pando
import PandoData
import PandoEngine
import PandoMPI
import PandoNN
import PandoTraining

/// How the command ends when something is wrong: one `error:` line on standard error, exit code 1 where the run failed
/// and 2 where the command, the recipe or its data are wrong.
enum Failure {
  /// Prints the error and ends the process.
  static func exit(_ error: any Error) -> Never {
    if let code = cleanExit(error) { Foundation.exit(code) }
    // What was wrong has been said already, by a rank.
    if let end = error as? ExitCode { Foundation.exit(end.rawValue) }
    FileHandle.standardError.write(Data("error: \(message(error))\n".utf8))
    Foundation.exit(code(error))
  }

  /// `--help`, `--version` and the like are no errors: their text goes to standard output.
  private static func cleanExit(_ error: any Error) -> Int32? {
    guard PandoCommand.exitCode(for: error) == .success else { return nil }
    print(PandoCommand.fullMessage(for: error))
    return 0
  }

  private static func message(_ error: any Error) -> String {
    let text =
      switch error {
      case let error as any CustomStringConvertible
      where error is RecipeError || error is DataError || error is TypeError || error is EngineError
        || error is ModuleError || error is OffloadError || error is TrainingError || error is UsageError
        || error is CheckpointError
        || error is LaunchError || error is MPIError || error is LaunchFailure || error is CommunicationError:
        error.description
      case let error as CocoaError: error.localizedDescription
      default: PandoCommand.message(for: error)
      }
    return text.split(separator: "\n").joined(separator: " ")
  }

  static func code(_ error: any Error) -> Int32 {
    switch error {
    case is TrainingError, is EngineError, is LaunchFailure, is CommunicationError: 1
    case is RecipeError, is TypeError, is ModuleError, is OffloadError, is UsageError, is CheckpointError,
      is LaunchError,
      is MPIError:
      2
    case let error as DataError: error.kind == .system ? 1 : 2
    default: PandoCommand.exitCode(for: error) == .validationFailure ? 2 : 1
    }
  }
}

/// A flag or argument that is wrong.
struct UsageError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
