import Dispatch
import Foundation
import Synchronization

/// Ctrl-C and SIGTERM ask for an end; a second one ends the process at once.
final class StopSignal: @unchecked Sendable {
  private let asked = Atomic<Bool>(false)
  // Sources are safe to use from any thread, though not declared so; they are set once.
  private let sources: [any DispatchSourceSignal]

  init() {
    var sources: [any DispatchSourceSignal] = []
    let queue = DispatchQueue(label: "pando.signals")
    for number in [SIGINT, SIGTERM] {
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
    Terminal.note("\nstopping after this step and a checkpoint; again to stop at once")
  }

  /// Whether an end has been asked for.
  var isSet: Bool { asked.load(ordering: .relaxed) }
}
