import Foundation
import PandoEngine

/// A message between two ranks that is under way.
final class MPIMessage: CommunicationRequest, @unchecked Sendable {
  private let lock = NSLock()
  // Guarded by the lock.
  private var transfers: Transfers
  private var outcome: Result<Void, CommunicationError>?
  private let recorder: FlightRecorder
  private let worldRanks: [Int]
  private let number: Int
  private let operation: String
  private let label: String

  /// - Parameter begin: hands the message to MPI.
  init(
    _ operation: String, label: String, peer: Int, bytes: Int, group: MPIGroup, worldRanks: [Int],
    board: AbortBoard, recorder: FlightRecorder, begin: (inout Transfers) throws(ExchangeFailure) -> Void
  ) {
    transfers = Transfers(group: group, board: board)
    self.operation = operation
    self.label = label
    self.recorder = recorder
    self.worldRanks = worldRanks
    number = recorder.begin(
      operation, label: label, ranks: [recorder.rank, worldRanks[peer]], bytes: bytes,
      sends: operation == "send" ? bytes : 0, state: .running)
    do throws(ExchangeFailure) { try begin(&transfers) } catch { fail(error) }
  }

  var isDone: Bool {
    lock.lock()
    defer { lock.unlock() }
    attempt { transfers throws(ExchangeFailure) in try transfers.advance() }
    return outcome != nil
  }

  func wait() throws(CommunicationError) {
    lock.lock()
    let start = FlightRecorder.nanoseconds()
    defer {
      recorder.didBlock(since: start)
      lock.unlock()
    }
    attempt { transfers throws(ExchangeFailure) in
      try transfers.wait { ranks in recorder.update(number, waitingFor: ranks.map { worldRanks[$0] }) }
      return true
    }
    try outcome!.get()
  }

  private func attempt(_ body: (inout Transfers) throws(ExchangeFailure) -> Bool) {
    guard outcome == nil else { return }
    do throws(ExchangeFailure) {
      guard try body(&transfers) else { return }
      recorder.update(number, state: .done)
      outcome = .success(())
    } catch { fail(error) }
  }

  private func fail(_ failure: ExchangeFailure) {
    recorder.update(number, state: .failed)
    outcome = .failure(recorder.error(failure.reason, number, operation: operation, label: label))
  }
}
