import PandoIR

/// One rank of a group that is only planned: the others are not there.
///
/// Whatever is made before a run, such as programs and their memory, comes out as on a rank that has company; groups of
/// ranks that know each other can be split off. Nothing can be exchanged: that throws.
public final class PlannedCommunicator: Communicator {
  public let rank: Int
  public let worldRanks: [Int]
  public let recorder: FlightRecorder
  public var size: Int { worldRanks.count }

  /// Rank number `rank` of a run of `size` ranks.
  public convenience init(rank: Int, of size: Int) {
    precondition((0..<size).contains(rank), "there is no rank \(rank) among \(size)")
    self.init(rank: rank, worldRanks: Array(0..<size), recorder: FlightRecorder(rank: rank, capacity: 1))
  }

  private init(rank: Int, worldRanks: [Int], recorder: FlightRecorder) {
    (self.rank, self.worldRanks, self.recorder) = (rank, worldRanks, recorder)
  }

  public func perform(_ collective: Collective, label: String) throws(CommunicationError) {
    throw refusal(collective.name, label)
  }

  public func start(_ collective: Collective, label: String) -> any CommunicationRequest {
    RefusedRequest(error: refusal(collective.name, label))
  }

  public func startSend(_ source: UnsafeRawBufferPointer, to peer: Int, tag: Int, label: String)
    -> any CommunicationRequest
  { RefusedRequest(error: refusal("send", label)) }

  public func startReceive(
    _ destination: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int, label: String
  ) -> any CommunicationRequest { RefusedRequest(error: refusal("receive", label)) }

  /// Colors of others cannot be known: see `split(members:)`.
  public func split(color: Int?, key: Int) throws(CommunicationError) -> (any Communicator)? {
    throw refusal("split", "the split of a group")
  }

  public func split(members: [Int]) throws(CommunicationError) -> (any Communicator)? {
    guard let place = members.firstIndex(of: rank) else { return nil }
    return PlannedCommunicator(rank: place, worldRanks: members.map { worldRanks[$0] }, recorder: recorder)
  }

  public func abort(_ reason: String) {}

  private func refusal(_ operation: String, _ label: String) -> CommunicationError {
    CommunicationError(
      .system("this rank is only planned, and the others are not there"), operation: operation, label: label,
      rank: recorder.rank)
  }
}

/// An exchange that never began.
private final class RefusedRequest: CommunicationRequest {
  let isDone = true
  private let error: CommunicationError

  init(error: CommunicationError) { self.error = error }

  func wait() throws(CommunicationError) { throw error }
}
