import CMPI
import Foundation
import PandoEngine

/// How ranks that are processes exchange.
public struct MPISettings: Hashable, Sendable {
  /// Whether ranks of one host may exchange through memory that they share.
  public var sharesMemory: Bool
  /// Whether a rank that waits may keep its core busy: right where each rank has at least one core to itself.
  public var spins: Bool
  /// How many exchanges the flight recorder keeps.
  public var recorderCapacity: Int

  /// Settings.
  public init(sharesMemory: Bool = true, spins: Bool = true, recorderCapacity: Int = 256) {
    self.sharesMemory = sharesMemory
    self.spins = spins
    self.recorderCapacity = recorderCapacity
  }
}

/// MPI in this process: from its start to its end, one of each in a process's life.
public final class MPIWorld: Sendable {
  /// All ranks of the run.
  public let communicator: MPICommunicator

  /// Connects this process with the others that were started with it. All ranks call it.
  ///
  /// - Throws: where there is no Open MPI, how to install it.
  public init(settings: MPISettings = MPISettings()) throws(MPIError) {
    if let reason = pmpi_load() {
      throw MPIError("Open MPI cannot be loaded (\(String(cString: reason))); \(MPIError.advice)")
    }
    var level: Int32 = 0
    if let error = MPIError(pmpi_init(&level), "start") { throw error }
    guard level == 3 else {
      throw MPIError("this build of Open MPI cannot be used by several threads; \(MPIError.advice)")
    }
    var handle: pmpi_comm?
    if let error = MPIError(pmpi_world(&handle), "make a group of all ranks") { throw error }
    let world = try MPIGroup(handle: handle!)
    // Ranks of a host agree on its first rank, which names the host by a small number.
    let hosts = try world.gather(HostIdentity.number)
    let neighbors = try world.split(color: hosts.firstIndex(of: hosts[world.rank])!, key: world.rank)!
    let memory =
      settings.sharesMemory && neighbors.size > 1
      ? try SharedMemory.make(byteCount: AbortBoard.byteCount, for: neighbors) : nil
    communicator = try MPICommunicator(
      group: world, worldRanks: Array(0..<world.size),
      recorder: FlightRecorder(rank: world.rank, capacity: settings.recorderCapacity),
      board: AbortBoard(memory: memory), settings: settings)
  }

  /// Whether Open MPI's library is here; if not, why.
  public static var problem: String? { pmpi_load().map { String(cString: $0) } }

  /// Ends MPI, once no rank has anything to exchange: all ranks call it at the end of a run that went well. A process
  /// that ends without it takes the whole run with it.
  public func finish() throws(MPIError) {
    if let error = MPIError(pmpi_finalize(), "end") { throw error }
  }
}
