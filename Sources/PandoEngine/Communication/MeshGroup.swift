import PandoIR
import Synchronization

/// A mesh whose ranks are the ends of a communicator: what a compiled program needs to know of the others.
///
/// Groups along axes are split off when they are first asked for, which all ranks do in the same order because they
/// compile the same graphs.
public final class MeshGroup: Sendable {
  /// The mesh.
  public let mesh: Mesh
  /// All its ranks.
  public let communicator: any Communicator
  private let groups = Mutex<[[String]: any Communicator]>([:])
  private let waited = Mutex(0.0)

  /// - Throws: `ShardingError` where the communicator has not as many ranks as the mesh.
  public init(_ mesh: Mesh, _ communicator: any Communicator) throws(ShardingError) {
    guard mesh.count == communicator.size else {
      throw ShardingError(
        "the mesh \(mesh) needs \(mesh.count) ranks, there are \(communicator.size); change the axes or start as "
          + "many ranks")
    }
    self.mesh = mesh
    self.communicator = communicator
  }

  /// Seconds in which this rank's programs did nothing but exchange, or wait for an exchange to end.
  public var waitedSeconds: Double { waited.withLock { $0 } }

  /// Adds to `waitedSeconds`.
  package func addWait(_ seconds: Double) { waited.withLock { $0 += seconds } }

  /// This rank's number.
  public var rank: Int { communicator.rank }

  /// This rank's place among those that differ along `axes`.
  public func index(along axes: [String]) -> Int { mesh.index(of: rank, along: axes) }

  /// The ranks that differ from this one along `axes` only, in the order of `Mesh.group(of:along:)`. Collective.
  public func communicator(along axes: [String]) throws(CommunicationError) -> any Communicator {
    if let known = groups.withLock({ $0[axes] }) { return known }
    guard let group = try communicator.split(members: mesh.group(of: rank, along: axes)) else {
      preconditionFailure("a rank is in a group of its own members")
    }
    return groups.withLock { groups in
      groups[axes] = group
      return group
    }
  }
}

extension MeshGroup: Hashable {
  /// A group is equal to itself only.
  public static func == (a: MeshGroup, b: MeshGroup) -> Bool { a === b }
  /// By identity.
  public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
