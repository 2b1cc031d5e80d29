import Foundation
import Synchronization

/// Looks at a flight recorder from time to time, says what has waited too long, and in the end gives the run up.
public final class Watchdog: Sendable {
  /// How long is too long.
  public struct Limits: Hashable, Sendable {
    /// Seconds after which an exchange that has not ended is reported, and again whenever that has doubled.
    public var warnSeconds: Double
    /// Seconds after which the run is given up; `nil` for never.
    public var abortSeconds: Double?

    /// Limits; by default a report after half a minute, and no end.
    public init(warnSeconds: Double = 30, abortSeconds: Double? = nil) {
      self.warnSeconds = warnSeconds
      self.abortSeconds = abortSeconds
    }
  }

  private let isOver = Mutex(false)

  /// Begins to watch, on a thread of its own.
  ///
  /// - Parameters:
  ///   - note: told what waits: `rank 3, step 812, all-reduce of blocks.4.mlp.weight, waiting 30 s for rank 1`.
  ///   - giveUp: called once, with the same text, when the time is over.
  public init(
    _ recorder: FlightRecorder, limits: Limits, note: @escaping @Sendable (String) -> Void,
    giveUp: @escaping @Sendable (String) -> Void
  ) {
    let shortest = min(limits.warnSeconds, limits.abortSeconds ?? limits.warnSeconds)
    let interval = min(1, max(0.01, shortest / 8))
    let thread = Thread { [weak self] in
      var next: [Int: Double] = [:]
      while true {
        usleep(UInt32(interval * 1e6))
        guard let self, !self.isOver.withLock({ $0 }) else { return }
        let waiting = recorder.waiting(atLeast: shortest)
        next = next.filter { number, _ in waiting.contains { $0.number == number } }
        for entry in waiting {
          let seconds = recorder.seconds - entry.begin
          if let limit = limits.abortSeconds, seconds >= limit { return giveUp(recorder.describe(entry)) }
          guard seconds >= next[entry.number, default: limits.warnSeconds] else { continue }
          next[entry.number] = 2 * max(seconds, limits.warnSeconds)
          note(recorder.describe(entry))
        }
      }
    }
    thread.name = "pando.watchdog"
    thread.start()
  }

  /// Watches no more.
  public func stop() { isOver.withLock { $0 = true } }

  deinit { stop() }
}
