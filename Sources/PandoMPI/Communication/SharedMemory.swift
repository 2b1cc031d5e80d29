import CMPI
import Foundation

/// Memory that all ranks of a group have, where they run on one host. It has no name, so it is gone with the last of
/// them, however they end.
final class SharedMemory: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  private let byteCount: Int

  private init(base: UnsafeMutableRawPointer, byteCount: Int) {
    self.base = base
    self.byteCount = byteCount
  }

  deinit { pshm_unmap(base, byteCount) }

  /// Makes memory of zeros, collectively; `nil` on all ranks where they run on several hosts, or where the system
  /// does not let them share.
  static func make(byteCount: Int, for group: MPIGroup) throws(MPIError) -> SharedMemory? {
    let hosts = try group.gather(HostIdentity.number)
    guard hosts.allSatisfy({ $0 == hosts[0] }) else { return nil }
    let isOwner = group.rank == 0
    let owned = isOwner ? pshm_create(byteCount) : -1
    let processes = try group.gather(Int64(getpid()))
    let descriptors = try group.gather(Int64(owned))
    var memory: UnsafeMutableRawPointer?
    if !isOwner, descriptors[0] >= 0 {
      let descriptor = pshm_open(Int32(processes[0]), Int32(descriptors[0]))
      if descriptor >= 0 { memory = pshm_map(descriptor, byteCount) }
    }
    // The owner's descriptor must live until all have opened it.
    let opened = try group.gather(isOwner || memory != nil ? 1 : 0)
    if isOwner, owned >= 0 { memory = pshm_map(owned, byteCount) }
    let mapped = try group.gather(memory != nil ? 1 : 0)
    let result = memory.map { SharedMemory(base: $0, byteCount: byteCount) }
    return opened.contains(0) || mapped.contains(0) ? nil : result
  }
}
