import Foundation
import Synchronization

/// A program started in a process group of its own, so that signals for us are not signals for it.
final class ChildProcess: Sendable {
  /// How it ended.
  enum End: Hashable, Sendable {
    case exited(Int32)
    case killed(Int32)
  }

  let identifier: pid_t
  private let end = Mutex<End?>(nil)

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - descriptors: for each of the child's, ours; others are closed by their own flags. Standard input is empty
  ///     unless it is named.
  init(
    _ program: String, _ arguments: [String], environment: [String: String], descriptors: [Int32: Int32] = [:]
  ) throws(LaunchError) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if descriptors[0] == nil { posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) }
    for (theirs, ours) in descriptors { posix_spawn_file_actions_adddup2(&actions, ours, theirs) }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setpgroup(&attributes, 0)
    // What we ignore or block, it should not.
    var (none, all) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    posix_spawnattr_setflags(&attributes, Int16(flags))

    let argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    let environ: [UnsafeMutablePointer<CChar>?] =
      environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for case let text? in argv + environ { free(text) } }
    var identifier: pid_t = 0
    let code = posix_spawnp(&identifier, program, &actions, &attributes, argv, environ)
    guard code == 0 else {
      throw LaunchError("\(program) cannot be started: \(String(cString: strerror(code)))")
    }
    self.identifier = identifier
  }

  /// Returns how it ended, once it has.
  func poll() -> End? {
    end.withLock { end in
      if end != nil { return end }
      var status: Int32 = 0
      var result: pid_t
      repeat { result = waitpid(identifier, &status, WNOHANG) } while result < 0 && errno == EINTR
      if result == identifier {
        let signal = status & 0x7F
        end = signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal)
      } else if result < 0 {
        end = .exited(1)
      }
      return end
    }
  }

  /// Waits for its end, for at most so many seconds.
  func wait(seconds: Double) -> End? {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while true {
      if let end = poll() { return end }
      if ContinuousClock.now >= deadline { return nil }
      usleep(5_000)
    }
  }

  /// Sends it a signal, unless it has ended.
  func signal(_ number: Int32) {
    if poll() == nil { kill(identifier, number) }
  }

  /// Sends a signal to it and all of its process group.
  func signalGroup(_ number: Int32) { killpg(identifier, number) }
}
