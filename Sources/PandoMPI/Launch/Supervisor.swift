import Foundation
import Synchronization

/// Starts the ranks of a run, and starts them again when one of them dies.
///
/// It stands above `mpirun`, which ends all ranks when one dies. Whatever way a run ends, `kill -9` of any process of it
/// included, no process of it stays behind on this host and no file in memory; on other hosts MPI's daemons see to
/// the processes.
public final class Supervisor {
  /// What a run may cost.
  public struct Limits: Hashable, Sendable {
    /// How often the ranks may be started again.
    public var maxRestarts: Int
    /// The fewest ranks to go on with where some cannot be replaced; `nil` for all.
    public var minRanks: Int?
    /// How long ranks that were asked to stop may take.
    public var graceSeconds: Double

    /// Limits; nothing is started again unless said.
    public init(maxRestarts: Int = 0, minRanks: Int? = nil, graceSeconds: Double = 120) {
      self.maxRestarts = maxRestarts
      self.minRanks = minRanks
      self.graceSeconds = graceSeconds
    }
  }

  /// How a run ended.
  public enum Outcome: Hashable, Sendable {
    /// All ranks ended well; `restarts` were needed.
    case finished(restarts: Int)
    /// They were asked to stop, and did.
    case stopped
    /// They failed for good, with this exit code; the text says which rank and why.
    case failed(code: Int32, String)
  }

  /// The exit code of a rank that gave up for a reason that starting again may mend: another rank died or hung.
  public static let retryCode: Int32 = 75
  /// The signal by which ranks are asked to finish their step, write a checkpoint and end well. `mpirun` passes it on to
  /// all ranks of all hosts; it ends them at once on SIGINT and SIGTERM.
  public static let stopSignal = SIGUSR1

  private var launcher: Launcher
  private let limits: Limits

  /// A supervisor of what `launcher` starts.
  public init(_ launcher: Launcher, limits: Limits = Limits()) {
    self.launcher = launcher
    self.limits = limits
  }

  /// Runs to the end.
  ///
  /// - Parameters:
  ///   - arguments: what to start the ranks with, by the number of restarts so far: a restart goes on from the last
  ///     checkpoint.
  ///   - progress: a number that grows as the run gets on, such as the last checkpoint's step. A rank that is lost twice
  ///     without any progress is not replaced again, where `minRanks` allows it.
  ///   - shouldStop: asked again and again; once it is true the ranks are asked to stop.
  ///   - note: told what a person should know.
  public func run(
    arguments: (_ restarts: Int) -> [String], progress: () -> Int = { 0 }, shouldStop: () -> Bool,
    note: (String) -> Void
  ) throws(LaunchError) -> Outcome {
    try launcher.check()
    var (restarts, failuresInPlace, lastProgress) = (0, 0, progress())
    while true {
      launcher.arguments = arguments(restarts)
      launcher.variables[RankEnvironment.restartsVariable] = "\(restarts)"
      let attempt = try runOnce(shouldStop: shouldStop, note: note)
      if attempt.code == 0 { return attempt.wasStopped ? .stopped : .finished(restarts: restarts) }
      // Ranks that were asked before they listened have nothing to save.
      if attempt.wasStopped, attempt.code == 128 + Self.stopSignal { return .stopped }
      let text = attempt.text
      let isWorthwhile = attempt.code > 128 || attempt.code == Self.retryCode
      guard isWorthwhile, !attempt.wasStopped, restarts < limits.maxRestarts else {
        return .failed(code: attempt.code, text)
      }
      let reached = progress()
      failuresInPlace = reached > lastProgress ? 1 : failuresInPlace + 1
      lastProgress = max(reached, lastProgress)
      let before = launcher.ranks
      try dropLost(dropsOne: failuresInPlace >= 2, note: note)
      guard launcher.ranks >= max(1, limits.minRanks ?? before) else {
        return .failed(
          code: attempt.code, "\(text); \(launcher.ranks) ranks are left, fewer than --min-ranks allows")
      }
      if launcher.ranks != before { failuresInPlace = 0 }
      restarts += 1
      note(
        "\(text); starting again from the last checkpoint with \(launcher.ranks) "
          + "rank\(launcher.ranks == 1 ? "" : "s"), restart \(restarts) of \(limits.maxRestarts)")
    }
  }

  /// Takes away hosts that do not answer with their ranks, or one rank where replacing it has not helped.
  private func dropLost(dropsOne: Bool, note: (String) -> Void) throws(LaunchError) {
    let silent = try launcher.silentHosts()
    if !silent.isEmpty {
      let placed = try Host.spread(launcher.ranks, over: launcher.hosts)
      launcher.hosts = placed.filter { host in !silent.contains { $0.host.name == host.name } }
      launcher.ranks = launcher.hosts.compactMap(\.ranks).reduce(0, +)
      for (host, reason) in silent { note("host \(host.name) is lost: \(reason)") }
    } else if dropsOne, launcher.ranks > max(1, limits.minRanks ?? launcher.ranks) {
      if !launcher.hosts.isEmpty {
        var placed = try Host.spread(launcher.ranks, over: launcher.hosts)
        let index = placed.indices.max { placed[$0].ranks! < placed[$1].ranks! }!
        placed[index] = Host(placed[index].name, ranks: placed[index].ranks! - 1)
        launcher.hosts = placed.filter { $0.ranks! > 0 }
      }
      launcher.ranks -= 1
    }
  }

  private struct Attempt {
    var code: Int32
    var wasStopped: Bool
    var text: String
  }

  private func runOnce(shouldStop: () -> Bool, note: (String) -> Void) throws(LaunchError) -> Attempt {
    let runGuard = try RunGuard()
    defer { runGuard.finish() }
    let command = try launcher.command(scratch: runGuard.scratch, run: runGuard.run)
    let pipe = try ClosedPipe()
    let output = OutputReader(descriptor: pipe.reading)
    let child: ChildProcess
    do throws(LaunchError) {
      child = try ChildProcess(
        command.program, command.arguments, environment: command.environment, descriptors: [2: pipe.writing])
      close(pipe.writing)
    } catch {
      close(pipe.writing)
      throw error
    }
    var (askedAt, isForced): (ContinuousClock.Instant?, Bool) = (nil, false)
    var end: ChildProcess.End?
    while end == nil {
      end = child.wait(seconds: 0.05)
      if end == nil, let asked = askedAt {
        let waited = (ContinuousClock.now - asked) / .seconds(1)
        if waited > limits.graceSeconds, !isForced {
          note("the ranks did not stop within \(Int(limits.graceSeconds)) s and are ended")
          child.signal(SIGTERM)
          isForced = true
        } else if waited > limits.graceSeconds + 10 {
          child.signalGroup(SIGKILL)
        }
      } else if end == nil, shouldStop() {
        child.signal(Self.stopSignal)
        askedAt = .now
      }
    }
    // Ranks that outlived mpirun hold the pipe open, so they go first.
    runGuard.finish()
    let report = output.finish()
    let code: Int32
    switch end! {
    case .exited(let value): code = value
    case .killed(let signal): code = 128 + signal
    }
    return Attempt(code: code, wasStopped: askedAt != nil, text: Self.text(report, end!))
  }

  private static func text(_ report: RankReport, _ end: ChildProcess.End) -> String {
    if let failure = report.failure {
      return "rank \(failure.rank)\(failure.host.map { " on \($0)" } ?? "") \(failure.cause)"
    }
    if let complaint = report.complaint { return "mpirun: \(complaint)" }
    return switch end {
    case .exited(let code): "mpirun ended with code \(code)"
    case .killed(let signal): "mpirun was ended by signal \(signal)"
    }
  }
}

/// Reads the ranks' standard error on a thread, and passes it on.
private final class OutputReader: Sendable {
  private let report = Mutex(RankReport())
  private let done = DispatchSemaphore(value: 0)

  init(descriptor: Int32) {
    let thread = Thread { [self] in
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = read(descriptor, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { break }
        let passed = report.withLock { $0.take(Data(buffer[..<count])) }
        if !passed.isEmpty { FileHandle.standardError.write(passed) }
      }
      let rest = report.withLock { $0.finish() }
      if !rest.isEmpty { FileHandle.standardError.write(rest) }
      close(descriptor)
      done.signal()
    }
    thread.start()
  }

  /// Waits for the end of the output, and returns what `mpirun` reported in it.
  func finish() -> RankReport {
    // A program that a rank left behind with another environment could hold the pipe open for ever.
    _ = done.wait(timeout: .now() + 2)
    return report.withLock { $0 }
  }
}
