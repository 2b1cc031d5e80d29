import Foundation
import PandoData

/// A run's `ledger.json`: how far it has got over all its starts, and what was done in vain.
///
/// It is written in place after every step by one short system call, without waiting for the disk: so it outlives a
/// process that is killed at any moment, at no cost worth naming.
package final class RunLedger {
  /// What it holds.
  package struct Entry: Hashable, Codable {
    /// Updates of the weights so far, in this start or the one before it.
    package var step = 0
    /// Steps that were done again, since the run had to go back to a checkpoint.
    package var wastedSteps = 0
    /// How often the run went on after it had ended without being asked to.
    package var restarts = 0
    /// Those of them that were before whoever watches over the ranks now began.
    package var earlierRestarts = 0
    /// Whether the run has ended well.
    package var hasEnded = false

    enum CodingKeys: String, CodingKey {
      case step, restarts
      case wastedSteps = "wasted_steps"
      case earlierRestarts = "earlier_restarts"
      case hasEnded = "has_ended"
    }

    /// The figures once a run that holds them has begun again.
    ///
    /// - Parameters:
    ///   - step: the step from which it goes on.
    ///   - restarts: how often its ranks were started again by whoever watches over them.
    fileprivate func goingOn(from step: Int, restarts: Int) -> Entry {
      var next = self
      // Of a start that ended before it wrote anything only the supervisor knows.
      if restarts == 0 { next.earlierRestarts = self.restarts + (hasEnded ? 0 : 1) }
      next.restarts = next.earlierRestarts + restarts
      next.wastedSteps += max(0, self.step - step)
      next.step = step
      next.hasEnded = false
      return next
    }

    /// Always of one length, so that writing over an older one leaves nothing of it.
    fileprivate var line: [UInt8] {
      let text =
        "{\"step\": \(step), \"wasted_steps\": \(wastedSteps), \"restarts\": \(restarts), "
        + "\"earlier_restarts\": \(earlierRestarts), \"has_ended\": \(hasEnded)}"
      return Array(text.padding(toLength: 199, withPad: " ", startingAt: 0).utf8) + [UInt8(ascii: "\n")]
    }
  }

  package private(set) var entry: Entry
  private let descriptor: Int32

  /// Opens the ledger of a run that begins now.
  ///
  /// - Parameters:
  ///   - resumes: whether it goes on from an earlier one's ledger, if there is one.
  ///   - step: the step from which it goes on.
  ///   - restarts: how often its ranks were started again by whoever watches over them.
  /// - Throws: `DataError` where the file cannot be written.
  package init(_ url: URL, resumes: Bool, from step: Int, restarts: Int) throws {
    let earlier = resumes ? Self.read(url) : nil
    entry = (earlier ?? Entry(hasEnded: true)).goingOn(from: step, restarts: restarts)
    let opened = open(url.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard opened >= 0 else { throw DataError.system("write the file", at: url.path) }
    descriptor = opened
    guard ftruncate(descriptor, 0) == 0 else { throw DataError.system("shorten the file", at: url.path) }
    write()
  }

  deinit { close(descriptor) }

  /// A step is done.
  package func didStep(_ step: Int) {
    entry.step = step
    write()
  }

  /// The run has ended well.
  package func end() {
    entry.hasEnded = true
    write()
  }

  /// Counting is no reason to end a run, so a disk that refuses is not looked at.
  private func write() {
    let line = entry.line
    _ = line.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }

  /// What a file holds; `nil` where it holds anything else.
  private static func read(_ url: URL) -> Entry? {
    guard let bytes = try? Data(contentsOf: url), bytes.count <= 4096,
      let entry = try? JSONDecoder().decode(Entry.self, from: bytes)
    else { return nil }
    let counts = [entry.step, entry.wastedSteps, entry.restarts, entry.earlierRestarts]
    return counts.allSatisfy { (0..<1 << 50).contains($0) } ? entry : nil
  }
}
