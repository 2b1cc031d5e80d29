import Foundation

/// A message that is to come. Receives of one address take their messages in the order in which they are waited for.
final class MailboxReceive: CommunicationRequest, @unchecked Sendable {
  private let destination: UnsafeMutableRawBufferPointer
  private let address: Mailbox.Address
  private let mailbox: Mailbox
  private let recorder: FlightRecorder
  private let label: String
  private let number: Int
  private let lock = NSLock()
  /// Guarded by the lock.
  private var outcome: Result<Void, CommunicationError>?

  init(
    _ destination: UnsafeMutableRawBufferPointer, address: Mailbox.Address, mailbox: Mailbox,
    worldRanks: [Int], recorder: FlightRecorder, label: String
  ) {
    self.destination = destination
    self.address = address
    self.mailbox = mailbox
    self.recorder = recorder
    self.label = label
    let sender = worldRanks[address.sender]
    number = recorder.begin(
      "receive", label: label, ranks: [sender, worldRanks[address.receiver]], bytes: destination.count,
      sends: 0, state: .running)
    recorder.update(number, waitingFor: [sender])
  }

  var isDone: Bool {
    lock.lock()
    defer { lock.unlock() }
    attempt(waits: false)
    return outcome != nil
  }

  func wait() throws(CommunicationError) {
    lock.lock()
    let start = FlightRecorder.nanoseconds()
    defer {
      recorder.didBlock(since: start)
      lock.unlock()
    }
    attempt(waits: true)
    try outcome!.get()
  }

  private func attempt(waits: Bool) {
    guard outcome == nil else { return }
    do throws(ExchangeFailure) {
      guard let message = try mailbox.take(address, waits: waits) else { return }
      guard message.count == destination.count else {
        throw ExchangeFailure(
          .mismatch("a message of \(message.count) bytes came, \(destination.count) are expected"))
      }
      message.copyBytes(to: destination)
      recorder.update(number, state: .done)
      outcome = .success(())
    } catch {
      recorder.update(number, state: .failed)
      outcome = .failure(recorder.error(error.reason, number, operation: "receive", label: label))
    }
  }
}
