import CMPI
import Foundation
import PandoEngine
import PandoIR

/// Ranks that are processes, which MPI has started and connected.
///
/// A group whose ranks all run on one host exchanges through memory that they share, any other through MPI's messages;
/// the results have the same bits either way.
public final class MPICommunicator: Communicator {
  public var rank: Int { group.rank }
  public var size: Int { group.size }
  public var worldRanks: [Int] { runner.worldRanks }
  public var recorder: FlightRecorder { runner.recorder }
  /// Whether collectives go through memory that the ranks share.
  public let sharesMemory: Bool

  private let group: MPIGroup
  private let board: AbortBoard
  private let settings: MPISettings
  private let runner: CollectiveRunner

  /// - Parameter group: what point-to-point messages go by.
  init(
    group: MPIGroup, worldRanks: [Int], recorder: FlightRecorder, board: AbortBoard, settings: MPISettings
  ) throws(MPIError) {
    self.group = group
    self.board = board
    self.settings = settings
    let memory =
      settings.sharesMemory && group.size > 1
      ? try SharedMemory.make(byteCount: SharedExchange.byteCount(size: group.size), for: group) : nil
    let exchange: any CollectiveExchange =
      if let memory {
        SharedExchange(
          group: group, worldRanks: worldRanks, memory: memory, board: board, spins: settings.spins)
      } else {
        NetworkExchange(group: try group.duplicate(), worldRanks: worldRanks, board: board)
      }
    sharesMemory = memory != nil
    runner = CollectiveRunner(
      name: "pando.exchange", worldRanks: worldRanks, recorder: recorder, exchange: exchange)
  }

  public func perform(_ collective: Collective, label: String) throws(CommunicationError) {
    try runner.perform(collective, label: label)
  }

  public func start(_ collective: Collective, label: String) -> any CommunicationRequest {
    runner.start(collective, label: label)
  }

  public func startSend(_ source: UnsafeRawBufferPointer, to peer: Int, tag: Int, label: String)
    -> any CommunicationRequest
  {
    message("send", label, peer, source.count) { (transfers) throws(ExchangeFailure) in
      try transfers.send(source, to: peer, tag: tag)
    }
  }

  public func startReceive(
    _ destination: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int, label: String
  ) -> any CommunicationRequest {
    message("receive", label, peer, destination.count) { (transfers) throws(ExchangeFailure) in
      try transfers.receive(destination, from: peer, tag: tag)
    }
  }

  private func message(
    _ operation: String, _ label: String, _ peer: Int, _ bytes: Int,
    _ begin: (inout Transfers) throws(ExchangeFailure) -> Void
  ) -> any CommunicationRequest {
    precondition((0..<size).contains(peer), "there is no rank \(peer) in a group of \(size)")
    precondition(bytes <= Int(Int32.max), "a message of \(bytes) bytes; send it in parts below 2 GiB")
    return MPIMessage(
      operation, label: label, peer: peer, bytes: bytes, group: group, worldRanks: worldRanks, board: board,
      recorder: recorder, begin: begin)
  }

  public func split(color: Int?, key: Int) throws(CommunicationError) -> (any Communicator)? {
    let label = "the split of a group"
    // Through the queue, so that it comes behind what was begun before; and MPI would wait without naming anyone.
    let members = try SplitPlan(color: color, key: key, in: self).members
    do throws(MPIError) {
      let place = members.firstIndex(of: rank)
      // MPI knows only small colors that are not negative; the first member's number tells groups apart as well.
      guard let new = try group.split(color: place == nil ? nil : members[0], key: place ?? 0) else {
        return nil
      }
      return try MPICommunicator(
        group: new, worldRanks: members.map { worldRanks[$0] }, recorder: recorder, board: board,
        settings: settings)
    } catch {
      throw CommunicationError(
        .system(error.description), operation: "split", label: label, rank: recorder.rank,
        step: recorder.step)
    }
  }

  /// Gives the run up. Ranks of this host learn it at once, those of others when this process ends, which must end with
  /// an error and without `MPIWorld.finish`.
  public func abort(_ reason: String) { board.abort(reason) }

  /// MPI's own sum of floats, in place, beside everything else: what this communicator's is measured against.
  package func plainAllReduce(_ buffer: UnsafeMutableBufferPointer<Float>) {
    _ = pmpi_plain_all_reduce(buffer.baseAddress, Int32(buffer.count), group.handle)
  }
}
