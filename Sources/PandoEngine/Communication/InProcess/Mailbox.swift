import Foundation

/// Messages between the ranks of one in-process communicator. A message is copied when it is sent, so a sender waits
/// for no one.
final class Mailbox: @unchecked Sendable {
  struct Address: Hashable {
    let sender: Int
    let receiver: Int
    let tag: Int
  }
  private let world: InProcessWorld
  private let condition = NSCondition()
  /// Guarded by the condition's lock.
  private var messages: [Address: [Data]] = [:]

  init(world: InProcessWorld) {
    self.world = world
    world.wakeOnAbort(condition)
  }

  func put(_ message: Data, at address: Address) {
    condition.lock()
    messages[address, default: []].append(message)
    condition.broadcast()
    condition.unlock()
  }

  /// Takes the oldest message at the address; `nil` where there is none and `waits` is false.
  func take(_ address: Address, waits: Bool) throws(ExchangeFailure) -> Data? {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if messages[address]?.isEmpty == false { return messages[address]!.removeFirst() }
      if let reason = world.abortReason { throw ExchangeFailure(.aborted(reason)) }
      guard waits else { return nil }
      condition.wait()
    }
  }
}
