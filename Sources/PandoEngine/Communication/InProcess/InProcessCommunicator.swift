import Foundation
import PandoIR
import Synchronization

/// Ranks that are threads of one process: for tests, for simulation, and for meshes on one machine.
///
/// A collective reads the other ranks' memory where it lies; each rank works out its share of the elements and writes it
/// to all.
public final class InProcessCommunicator: Communicator {
  public let rank: Int
  public var size: Int { runner.worldRanks.count }
  public var worldRanks: [Int] { runner.worldRanks }
  public var recorder: FlightRecorder { runner.recorder }

  private let group: InProcessGroup
  private let world: InProcessWorld
  private let runner: CollectiveRunner
  private let splits = Mutex(0)

  private init(rank: Int, group: InProcessGroup, world: InProcessWorld, recorder: FlightRecorder) {
    self.rank = rank
    self.group = group
    self.world = world
    runner = CollectiveRunner(
      name: "pando.\(group.name)", worldRanks: group.meeting.worldRanks, recorder: recorder,
      exchange: MeetingExchange(meeting: group.meeting, rank: rank))
  }

  /// The ends of a new group, in the order of ranks; each is for one thread.
  public static func group(of size: Int) -> [InProcessCommunicator] {
    precondition(size > 0, "a group needs a rank")
    let world = InProcessWorld()
    let group = InProcessGroup(name: "world", worldRanks: Array(0..<size), world: world)
    return (0..<size).map {
      InProcessCommunicator(rank: $0, group: group, world: world, recorder: FlightRecorder(rank: $0))
    }
  }

  public func perform(_ collective: Collective, label: String) throws(CommunicationError) {
    try runner.perform(collective, label: label)
  }

  public func start(_ collective: Collective, label: String) -> any CommunicationRequest {
    runner.start(collective, label: label)
  }

  public func abort(_ reason: String) { world.abort(reason) }

  public func split(color: Int?, key: Int) throws(CommunicationError) -> (any Communicator)? {
    let number = splits.withLock { splits in
      splits += 1
      return splits
    }
    let members = try SplitPlan(color: color, key: key, in: self).members
    guard let color, let place = members.firstIndex(of: rank) else { return nil }
    let group = world.group(
      named: "\(group.name)/\(number).\(color)", worldRanks: members.map { worldRanks[$0] })
    return InProcessCommunicator(rank: place, group: group, world: world, recorder: recorder)
  }

  public func startSend(_ source: UnsafeRawBufferPointer, to peer: Int, tag: Int, label: String)
    -> any CommunicationRequest
  {
    precondition((0..<size).contains(peer), "there is no rank \(peer) in a group of \(size)")
    let number = recorder.begin(
      "send", label: label, ranks: [worldRanks[rank], worldRanks[peer]], bytes: source.count,
      sends: source.count, state: .running)
    group.mailbox.put(Data(source), at: Mailbox.Address(sender: rank, receiver: peer, tag: tag))
    recorder.update(number, state: .done)
    return FinishedRequest()
  }

  public func startReceive(
    _ destination: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int, label: String
  ) -> any CommunicationRequest {
    precondition((0..<size).contains(peer), "there is no rank \(peer) in a group of \(size)")
    let address = Mailbox.Address(sender: peer, receiver: rank, tag: tag)
    return MailboxReceive(
      destination, address: address, mailbox: group.mailbox, worldRanks: worldRanks, recorder: recorder,
      label: label)
  }
}

/// A request that had nothing to wait for.
private final class FinishedRequest: CommunicationRequest {
  let isDone = true
  func wait() {}
}
