import Foundation
import Synchronization

/// Work on a thread of its own, which gives way to those that compute.
final class BackgroundJob<Value: Sendable>: Sendable {
  private let outcome = Mutex<Result<Value, any Error>?>(nil)
  private let done = DispatchSemaphore(value: 0)

  /// Begins.
  init(_ name: String, _ work: @escaping @Sendable () throws -> Value) {
    let thread = Thread { [self] in
      // On Linux a thread has a priority of its own.
      setpriority(Int32(PRIO_PROCESS.rawValue), 0, 10)
      let result = Result { try work() }
      outcome.withLock { $0 = result }
      done.signal()
    }
    thread.name = name
    thread.start()
  }

  /// Whether it has ended, well or not.
  var isDone: Bool { outcome.withLock { $0 != nil } }

  /// Waits for its end; what comes of it.
  func wait() -> Result<Value, any Error> {
    done.wait()
    done.signal()
    return outcome.withLock { $0! }
  }
}
