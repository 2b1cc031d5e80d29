import Foundation
import Synchronization

/// Does one communicator's collectives in the order in which they were begun, on a thread of its own that exists from
/// the first `start` on. Whoever waits for a collective that no one has taken up yet does it himself, so a blocking call
/// costs no change of threads.
package final class CollectiveQueue: Sendable {
  package typealias Work = @Sendable () throws(CommunicationError) -> Void
  private let state: QueueState

  /// An empty queue; `name` is its thread's.
  package init(name: String) { state = QueueState(name: name) }

  deinit { state.close() }

  /// Does `work` on this thread, behind everything that was begun before.
  package func perform(_ work: () throws(CommunicationError) -> Void) throws(CommunicationError) {
    state.acquire()
    defer { state.release() }
    try work()
  }

  /// Puts `work` behind everything that was begun before.
  package func start(_ work: @escaping Work) -> any CommunicationRequest {
    let request = QueuedRequest(work, in: state)
    state.append(request)
    return request
  }
}

/// A collective in its queue.
private final class QueuedRequest: CommunicationRequest, @unchecked Sendable {
  let work: CollectiveQueue.Work
  private let state: QueueState
  /// Guarded by the queue's lock.
  var outcome: Result<Void, CommunicationError>?

  init(_ work: @escaping CollectiveQueue.Work, in state: QueueState) {
    self.work = work
    self.state = state
  }

  var isDone: Bool { state.isDone(self) }
  func wait() throws(CommunicationError) { try state.wait(for: self).get() }
}

/// The queue without its owner, so that the thread does not keep the owner alive.
private final class QueueState: @unchecked Sendable {
  /// Who may take the queue: while nothing but blocking calls use it, one atomic word says so, and the lock is left
  /// alone.
  private enum Gate {
    static let free: UInt8 = 0
    static let taken: UInt8 = 1
    /// The rest of this class's state counts, under its lock.
    static let locked: UInt8 = 2
  }
  private let gate = Atomic<UInt8>(Gate.free)
  private let name: String
  private let condition = NSCondition()
  private var pending: [QueuedRequest] = []
  private var isBusy = false
  private var hasThread = false
  private var isClosed = false

  init(name: String) { self.name = name }

  /// Takes the queue once nothing is ahead.
  func acquire() {
    if moveGate(Gate.free, Gate.taken) { return }
    condition.lock()
    closeGate()
    while isBusy || !pending.isEmpty {
      advance()
      // While this waited the gate may have opened and let someone in.
      closeGate()
    }
    isBusy = true
    condition.unlock()
  }

  func release() {
    if moveGate(Gate.taken, Gate.free) { return }
    condition.lock()
    isBusy = false
    openGateIfIdle()
    condition.broadcast()
    condition.unlock()
  }

  private func moveGate(_ from: UInt8, _ to: UInt8) -> Bool {
    gate.compareExchange(expected: from, desired: to, ordering: .acquiringAndReleasing).exchanged
  }

  /// With the lock held: makes the lock's state count; whoever has taken the queue by the gate is busy.
  private func closeGate() {
    while gate.load(ordering: .acquiring) != Gate.locked {
      if moveGate(Gate.free, Gate.locked) { return }
      if moveGate(Gate.taken, Gate.locked) {
        isBusy = true
        return
      }
    }
  }

  /// With the lock held: lets the gate decide again once nothing is under way.
  private func openGateIfIdle() {
    if !isBusy, pending.isEmpty { _ = moveGate(Gate.locked, Gate.free) }
  }

  func append(_ request: QueuedRequest) {
    condition.lock()
    closeGate()
    pending.append(request)
    if !hasThread {
      hasThread = true
      let thread = Thread { [self] in serve() }
      thread.name = name
      thread.start()
    }
    condition.broadcast()
    condition.unlock()
  }

  func isDone(_ request: QueuedRequest) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    return request.outcome != nil
  }

  func wait(for request: QueuedRequest) -> Result<Void, CommunicationError> {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if let outcome = request.outcome { return outcome }
      advance()
    }
  }

  func close() {
    condition.lock()
    isClosed = true
    condition.broadcast()
    condition.unlock()
  }

  private func serve() {
    condition.lock()
    while !(isClosed && pending.isEmpty) {
      if isBusy || pending.isEmpty { condition.wait() } else { advance() }
    }
    condition.unlock()
  }

  /// With the lock held: does the first pending collective, or waits for a change.
  private func advance() {
    guard !isBusy, !pending.isEmpty else { return condition.wait() }
    let request = pending.removeFirst()
    isBusy = true
    condition.unlock()
    let outcome = Result { () throws(CommunicationError) in try request.work() }
    condition.lock()
    request.outcome = outcome
    isBusy = false
    openGateIfIdle()
    condition.broadcast()
  }
}
