/// The way in which the ranks of one communicator carry collectives out; one at a time.
package protocol CollectiveExchange: AnyObject, Sendable {
  /// Does this rank's part.
  ///
  /// - Parameter note: told the ranks that are waited for, counted in the whole run, whenever that changes.
  func carryOut(_ collective: Collective, note: ([Int]) -> Void) throws(ExchangeFailure)
}

/// Why an exchange did not come about.
package struct ExchangeFailure: Error {
  package let reason: CommunicationError.Reason
  package init(_ reason: CommunicationError.Reason) { self.reason = reason }
}

/// What every communicator does around an exchange: checks the sizes, keeps the order, and writes the flight recorder.
package final class CollectiveRunner: Sendable {
  package let worldRanks: [Int]
  package let recorder: FlightRecorder
  private let exchange: any CollectiveExchange
  private let queue: CollectiveQueue

  package init(
    name: String, worldRanks: [Int], recorder: FlightRecorder, exchange: any CollectiveExchange
  ) {
    self.worldRanks = worldRanks
    self.recorder = recorder
    self.exchange = exchange
    queue = CollectiveQueue(name: name)
  }

  package func perform(_ collective: Collective, label: String) throws(CommunicationError) {
    let number = enter(collective, label, .running, blocks: true)
    try queue.perform { () throws(CommunicationError) in
      try self.carryOut(collective, label: label, number: number)
    }
  }

  package func start(_ collective: Collective, label: String) -> any CommunicationRequest {
    let number = enter(collective, label, .queued)
    let request = queue.start { () throws(CommunicationError) in
      self.recorder.update(number, state: .running)
      try self.carryOut(collective, label: label, number: number)
    }
    return RecordedRequest(request, recorder)
  }

  private func enter(
    _ collective: Collective, _ label: String, _ state: FlightRecorder.Entry.State, blocks: Bool = false
  ) -> Int {
    collective.check(size: worldRanks.count)
    return recorder.begin(
      collective.name, label: label, ranks: worldRanks, bytes: collective.byteCount,
      sends: collective.sentBytes(size: worldRanks.count), state: state,
      blocks: blocks)
  }

  private func carryOut(_ collective: Collective, label: String, number: Int) throws(CommunicationError) {
    do throws(ExchangeFailure) {
      try exchange.carryOut(collective) { recorder.update(number, waitingFor: $0) }
      recorder.update(number, state: .done)
    } catch {
      recorder.update(number, state: .failed)
      throw recorder.error(error.reason, number, operation: collective.name, label: label)
    }
  }
}

/// Something begun, whose waiting is written down as time in which the rank did nothing else.
private final class RecordedRequest: CommunicationRequest {
  private let request: any CommunicationRequest
  private let recorder: FlightRecorder

  init(_ request: any CommunicationRequest, _ recorder: FlightRecorder) {
    self.request = request
    self.recorder = recorder
  }

  var isDone: Bool { request.isDone }

  func wait() throws(CommunicationError) {
    let start = FlightRecorder.nanoseconds()
    defer { recorder.didBlock(since: start) }
    try request.wait()
  }
}
