import Foundation

/// Where the ranks of one in-process communicator meet: each says what it is about to do, and goes on when all have.
final class Meeting: @unchecked Sendable {
  let worldRanks: [Int]
  private let world: InProcessWorld
  private let condition = NSCondition()
  // All guarded by the condition's lock.
  private var calls: [Collective]
  private var here: Set<Int> = []
  private var round = 0
  /// What the ranks said in the round that ended last. The next one cannot end before all have read this.
  private var agreed: [Collective] = []

  init(worldRanks: [Int], world: InProcessWorld) {
    self.worldRanks = worldRanks
    self.world = world
    calls = Array(repeating: .barrier, count: worldRanks.count)
    world.wakeOnAbort(condition)
  }

  /// Waits until all ranks are here.
  ///
  /// - Parameters:
  ///   - call: what this rank does now.
  ///   - note: told whom it waits for, whenever that changes.
  /// - Returns: what all do, in the order of ranks.
  /// - Throws: the reason, where the run is given up or the ranks do not agree.
  func arrive(_ rank: Int, _ call: Collective, note: ([Int]) -> Void) throws(ExchangeFailure) -> [Collective]
  {
    condition.lock()
    defer { condition.unlock() }
    calls[rank] = call
    here.insert(rank)
    let mine = round
    if here.count == worldRanks.count {
      agreed = calls
      here = []
      round += 1
      condition.broadcast()
    }
    var noted = 0
    while round == mine {
      if let reason = world.abortReason { throw ExchangeFailure(.aborted(reason)) }
      if noted != here.count {
        noted = here.count
        note(worldRanks.indices.filter { !here.contains($0) }.map { worldRanks[$0] })
      }
      condition.wait()
    }
    if let failure = CollectiveCode.disagreement(
      agreed.map(CollectiveCode.init), rank: rank, names: worldRanks)
    {
      throw failure
    }
    return agreed
  }
}
