import ArgumentParser
import Foundation
import PandoEngine
import PandoMPI

/// How the process of a rank starts and ends.
enum RankEnd {
  /// This program's file.
  static var program: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0]
  }

  /// Starts ranks, and returns once all have ended well.
  ///
  /// - Throws: `LaunchFailure` with what went wrong; `ExitCode` where a rank has told it already.
  static func launch(_ launcher: Launcher) throws {
    let signal = StopSignal()
    let outcome = try Supervisor(launcher).run(
      arguments: { _ in launcher.arguments }, shouldStop: { signal.isSet }, note: { Terminal.note($0) })
    if case .failed(let code, let text) = outcome {
      if code == 2 { throw ExitCode(2) }
      throw LaunchFailure(description: text)
    }
  }

  /// Does a rank's work. On an error the process ends at once: the others wait for it in vain, and whoever started the
  /// ranks ends them. An exchange that failed through another rank's end is worth another start.
  static func run(_ work: () throws -> Void) throws {
    do { try work() } catch let error as CommunicationError {
      Terminal.note("error: \(error)")
      if case .aborted = error.reason { _exit(Supervisor.retryCode) }
      _exit(1)
    } catch {
      // What was wrong from the start is wrong for all, and the first rank says so.
      let rank = RankEnvironment(ProcessInfo.processInfo.environment)?.rank ?? 0
      if Failure.code(error) == 2, rank > 0 {
        sleep(2)
        _exit(2)
      }
      Failure.exit(error)
    }
  }
}

/// Ranks that failed.
struct LaunchFailure: Error, CustomStringConvertible {
  let description: String
}
