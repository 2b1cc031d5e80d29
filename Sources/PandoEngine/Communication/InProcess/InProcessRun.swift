import Foundation
import Synchronization

extension InProcessCommunicator {
  /// Runs `body` on as many threads as there are ranks and returns what each made, in the order of ranks.
  ///
  /// - Throws: the error of the first rank that threw, by which the others were given up.
  public static func run<Result: Sendable>(
    _ size: Int, _ body: @escaping @Sendable (InProcessCommunicator) throws -> Result
  ) throws -> [Result] {
    let (ends, threads) = (RankEnds<Result>(), DispatchGroup())
    for communicator in group(of: size) {
      threads.enter()
      let thread = Thread {
        do {
          let result = try body(communicator)
          ends.state.withLock { $0.results[communicator.rank] = result }
        } catch {
          ends.state.withLock { if $0.firstError == nil { $0.firstError = error } }
          communicator.abort("rank \(communicator.rank) failed: \(error)")
        }
        threads.leave()
      }
      thread.name = "pando.rank\(communicator.rank)"
      // As large as the main thread's: bodies compile programs.
      thread.stackSize = 8 << 20
      thread.start()
    }
    threads.wait()
    return try ends.state.withLock { state in
      if let error = state.firstError { throw error }
      return (0..<size).map { state.results[$0]! }
    }
  }
}

/// How the ranks of a run ended.
private final class RankEnds<Result: Sendable>: Sendable {
  struct State {
    var results: [Int: Result] = [:]
    var firstError: (any Error)?
  }
  let state = Mutex(State())
}
