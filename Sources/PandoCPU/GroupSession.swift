import PandoEngine
import PandoIR
import PandoOperations

/// What a compiled program's kernels share of the other ranks: the mesh, exchanges under way, and what went wrong.
///
/// It is used by the thread that runs the program.
package final class GroupSession {
  let group: MeshGroup?
  private var requests: [Int: any CommunicationRequest] = [:]
  private var failure: (any Error)?

  init(_ group: MeshGroup?) { self.group = group }

  /// Does something that can fail for a kernel.
  ///
  /// - Returns: a kernel's status; the error is kept for `takeFailure`.
  func attempt(_ body: () throws -> Void) -> Int32 {
    let start = ContinuousClock.now
    defer { group?.addWait(start.duration(to: .now) / .seconds(1)) }
    do {
      try body()
      return 0
    } catch {
      failure = error
      settle()
      return 1
    }
  }

  /// Remembers an exchange that has begun.
  func begin(_ channel: Int, _ request: any CommunicationRequest) { requests[channel] = request }

  /// Waits for the exchange of a channel; returns at once where it was done without other ranks.
  func end(_ channel: Int) throws { try requests.removeValue(forKey: channel)?.wait() }

  /// Waits until no exchange touches the program's memory any more, however each ends.
  func settle() {
    for channel in requests.keys.sorted() { try? requests[channel]!.wait() }
    requests = [:]
  }

  /// The error of the last failed kernel.
  func takeFailure() -> (any Error)? {
    defer { failure = nil }
    return failure
  }
}

/// What the CPU engine can do that depends on this rank's place or on other ranks: an operation conforms in a file under
/// `Lowering/`.
package protocol CPUGroupLowering: PandoIR.Operation {
  /// Whether there is a kernel for these types; a composite is decomposed otherwise.
  func canLower(_ operands: [TensorType], _ results: [TensorType]) -> Bool

  /// A kernel for these types.
  func lower(
    _ operands: [TensorType], _ results: [TensorType], session: GroupSession, threads: Int
  ) throws -> Kernel
}
