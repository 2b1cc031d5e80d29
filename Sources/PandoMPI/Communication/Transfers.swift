import CMPI
import Foundation
import PandoEngine

/// Messages under way, at least one of which is waited for.
///
/// MPI moves them only while someone asks for them, so waiting means asking: at first again and again, later with
/// pauses, so that a rank that waits long leaves its core to others.
struct Transfers {
  private struct Transfer {
    var request: pmpi_request?
    let peer: Int
    /// The bytes to receive; `nil` for a message that is sent.
    let expected: Int?
    var isDone = false
  }
  private let group: MPIGroup
  private let board: AbortBoard
  private var transfers: [Transfer] = []

  init(group: MPIGroup, board: AbortBoard) {
    self.group = group
    self.board = board
  }

  mutating func send(_ source: UnsafeRawBufferPointer, to peer: Int, tag: Int) throws(ExchangeFailure) {
    var request: pmpi_request?
    let code = pmpi_start_send(
      source.baseAddress, Int32(source.count), Int32(peer), Int32(tag), group.handle, &request)
    try check(code)
    transfers.append(Transfer(request: request, peer: peer, expected: nil))
  }

  mutating func receive(
    _ destination: UnsafeMutableRawBufferPointer, from peer: Int, tag: Int
  ) throws(ExchangeFailure) {
    var request: pmpi_request?
    let code = pmpi_start_receive(
      destination.baseAddress, Int32(destination.count), Int32(peer), Int32(tag), group.handle, &request)
    try check(code)
    transfers.append(Transfer(request: request, peer: peer, expected: destination.count))
  }

  private func check(_ code: Int32) throws(ExchangeFailure) {
    if code != 0 { throw ExchangeFailure(.system(MPIError.words(code))) }
  }

  /// Asks once for each; whether all have ended.
  mutating func advance() throws(ExchangeFailure) -> Bool {
    var all = true
    for index in transfers.indices where !transfers[index].isDone {
      var (done, received): (Bool, Int32) = (false, 0)
      try check(pmpi_test(&transfers[index].request, &done, &received))
      transfers[index].isDone = done
      all = all && done
      if done, let expected = transfers[index].expected, Int(received) != expected {
        throw ExchangeFailure(
          .mismatch("a message of \(received) bytes came, \(expected) are expected"))
      }
    }
    return all
  }

  /// The ranks of the group whose messages have not come, or have not been taken.
  var missing: [Int] { Set(transfers.filter { !$0.isDone }.map(\.peer)).sorted() }

  /// Returns when all have ended.
  mutating func wait(note: ([Int]) -> Void) throws(ExchangeFailure) {
    let begin = ContinuousClock.now
    var (rounds, noted) = (0, [Int]())
    while try !advance() {
      rounds += 1
      guard rounds % 64 == 0 else { continue }
      if let reason = board.reason { throw ExchangeFailure(.aborted(reason)) }
      let waited = ContinuousClock.now - begin
      if waited < .microseconds(200) { continue }
      if waited < .milliseconds(20) {
        sched_yield()
        continue
      }
      if missing != noted {
        noted = missing
        note(noted)
      }
      rounds = 63
      usleep(100)
    }
  }
}
