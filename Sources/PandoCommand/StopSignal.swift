import Dispatch
import Foundation
import PandoMPI
import Synchronization

/// Ctrl-C and SIGTERM ask for an end; a second one ends the process at once. A rank is asked by its launcher's signal too.
final class StopSignal: @unchecked Sendable {
  private let asked = Atomic<Bool>(false)
  private let isRank = RankEnvironment(ProcessInfo.processInfo.environment) != nil
  // Sources are safe to use from any thread, though not declared so; they are set once.
  private let sources: [any DispatchSourceSignal]

  init() {
    var sources: [any DispatchSourceSignal] = []
    let queue = DispatchQueue(label: "pando.signals")
    for number in [SIGINT, SIGTERM] + (isRank ? [Supervisor.stopSignal] : []) {
      signal(number, SIG_IGN)
      sources.append(DispatchSource.makeSignalSource(signal: number, queue: queue))
    }
    self.sources = sources
    for source in sources {
      source.setEventHandler { [weak self] in self?.handle() }
      source.resume()
    }
  }

  private func handle() {
    if asked.exchange(true, ordering: .relaxed) { _exit(1) }
    // Ranks are many, and whoever started them has said it.
    if !isRank { Terminal.note("\nstopping after this step and a checkpoint; again to stop at once") }
  }

  /// Whether an end has been asked for.
  var isSet: Bool { asked.load(ordering: .relaxed) }
}
