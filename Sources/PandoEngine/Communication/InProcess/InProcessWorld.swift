import Foundation
import Synchronization

/// What all in-process communicators that were split from one share.
final class InProcessWorld: Sendable {
  private struct Condition: @unchecked Sendable { weak var value: NSCondition? }
  /// A group that some of its ranks have not asked for yet.
  private struct NewGroup {
    let group: InProcessGroup
    var takers: Int
  }
  private struct State {
    var abortReason: String?
    var conditions: [Condition] = []
    var newGroups: [String: NewGroup] = [:]
  }
  private let state = Mutex(State())

  var abortReason: String? { state.withLock { $0.abortReason } }

  /// From now on `abort` wakes those who wait on it. The condition is not kept alive.
  func wakeOnAbort(_ condition: NSCondition) {
    let condition = Condition(value: condition)
    state.withLock { state in
      state.conditions.removeAll { $0.value == nil }
      state.conditions.append(condition)
    }
  }

  func abort(_ reason: String) {
    let conditions = state.withLock { state in
      if state.abortReason == nil { state.abortReason = reason }
      return state.conditions
    }
    for case let condition? in conditions.map(\.value) {
      condition.lock()
      condition.broadcast()
      condition.unlock()
    }
  }

  /// The group of this name, made by the first of its ranks that asks; the last one's asking forgets it.
  func group(named name: String, worldRanks: [Int]) -> InProcessGroup {
    let spare = InProcessGroup(name: name, worldRanks: worldRanks, world: self)
    return state.withLock { state in
      var entry = state.newGroups[name] ?? NewGroup(group: spare, takers: 0)
      entry.takers += 1
      state.newGroups[name] = entry.takers == worldRanks.count ? nil : entry
      return entry.group
    }
  }
}

/// What the ranks of one in-process communicator share.
final class InProcessGroup: Sendable {
  let name: String
  let meeting: Meeting
  let mailbox: Mailbox

  init(name: String, worldRanks: [Int], world: InProcessWorld) {
    self.name = name
    meeting = Meeting(worldRanks: worldRanks, world: world)
    mailbox = Mailbox(world: world)
  }
}
