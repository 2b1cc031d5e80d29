import PandoIR

/// One rank's end of a group of ranks that exchange tensors.
///
/// All ranks of a group call the same collectives in the same order; each communicator keeps its own order, so two
/// groups do not wait for each other. A rank's calls may come from any thread, one at a time. Every call has a label,
/// which names what is exchanged (`blocks.4.mlp.weight`) in errors and in the flight recorder.
public protocol Communicator: AnyObject, Sendable {
  /// This rank's number in the group, from 0.
  var rank: Int { get }
  /// How many ranks the group has.
  var size: Int { get }
  /// For each rank of the group its number in the whole run; messages name ranks by it.
  var worldRanks: [Int] { get }
  /// What this process has exchanged last; shared by all groups that were split from one communicator.
  var recorder: FlightRecorder { get }

  /// Does a collective and returns when this rank's part is done.
  func perform(_ collective: Collective, label: String) throws(CommunicationError)

  /// Begins a collective that goes on beside what the caller does. Those of one communicator are done in the order in
  /// which they were begun; its memory is the collective's until `wait` has returned.
  func start(_ collective: Collective, label: String) -> any CommunicationRequest

  /// Begins to send bytes to a rank of the group, which receives them under the same tag. Messages of one sender and
  /// one tag arrive in the order in which they were sent. Point-to-point messages wait for no collective.
  func startSend(_ source: UnsafeRawBufferPointer, to peer: Int, tag: Int, label: String)
    -> any CommunicationRequest

  /// Begins to receive exactly as many bytes as `destination` has.
  func startReceive(_ destination: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int, label: String)
    -> any CommunicationRequest

  /// Makes a group of all ranks that give the same color, ordered by key and then by rank. Collective: all ranks call
  /// it. A rank without a color gets no group.
  func split(color: Int?, key: Int) throws(CommunicationError) -> (any Communicator)?

  /// Makes a group of ranks that know each other. Collective: all ranks call it, each with the group that it belongs to,
  /// as numbers in this group and in the order of the new one, or with none.
  ///
  /// - Returns: `nil` for a rank that gave none.
  func split(members: [Int]) throws(CommunicationError) -> (any Communicator)?

  /// Gives the run up: whatever any rank waits for now or later throws, with this reason.
  func abort(_ reason: String)
}

/// Something that was begun.
public protocol CommunicationRequest: AnyObject, Sendable {
  /// Whether it has ended, well or not.
  var isDone: Bool { get }
  /// Returns when it has ended. May be called more than once.
  func wait() throws(CommunicationError)
}

extension Communicator {
  /// By the lowest member as color.
  public func split(members: [Int]) throws(CommunicationError) -> (any Communicator)? {
    try split(color: members.min(), key: members.firstIndex(of: rank) ?? 0)
  }

  /// Replaces `buffer` by the reduction of all ranks' buffers, in the fixed order of `ReductionKind`.
  public func allReduce(
    _ buffer: UnsafeMutableRawBufferPointer, of dtype: DType, _ kind: ReductionKind = .sum, label: String
  ) throws(CommunicationError) {
    try perform(.allReduce(buffer: buffer, dtype: dtype, kind: kind), label: label)
  }

  /// Reduces the ranks' `source` and leaves part number `rank` of the result in `destination`.
  public func reduceScatter(
    _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer, of dtype: DType,
    _ kind: ReductionKind = .sum, label: String
  ) throws(CommunicationError) {
    try perform(
      .reduceScatter(source: source, destination: destination, dtype: dtype, kind: kind), label: label)
  }

  /// Writes all ranks' `source` behind each other into `destination`.
  public func allGather(
    _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer, label: String
  ) throws(CommunicationError) {
    try perform(.allGather(source: source, destination: destination), label: label)
  }

  /// Sends part number *p* of `source` to rank *p*, and puts what comes from it at the same place of `destination`.
  public func allToAll(
    _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer, label: String
  ) throws(CommunicationError) {
    try perform(.allToAll(source: source, destination: destination), label: label)
  }

  /// Replaces `buffer` by rank `root`'s.
  public func broadcast(
    _ buffer: UnsafeMutableRawBufferPointer, from root: Int = 0, label: String
  ) throws(CommunicationError) {
    try perform(.broadcast(buffer: buffer, root: root), label: label)
  }

  /// Waits until all ranks have come here.
  public func barrier(label: String) throws(CommunicationError) { try perform(.barrier, label: label) }

  /// Sends bytes to a rank of the group; returns when `source` may be written again.
  public func send(
    _ source: UnsafeRawBufferPointer, to peer: Int, tag: Int = 0, label: String
  ) throws(CommunicationError) {
    try startSend(source, to: peer, tag: tag, label: label).wait()
  }

  /// Receives exactly as many bytes as `destination` has.
  public func receive(
    _ destination: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int = 0, label: String
  ) throws(CommunicationError) {
    try startReceive(destination, from: peer, tag: tag, label: label).wait()
  }

  /// Makes a group of all ranks that give the same color, in the order of their numbers.
  public func split(color: Int) throws(CommunicationError) -> any Communicator {
    guard let group = try split(color: color, key: rank) else {
      preconditionFailure("a rank with a color is in its color's group")
    }
    return group
  }
}
