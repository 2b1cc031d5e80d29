import CMPI
import Foundation
import Synchronization

/// Whether the run was given up, and why: known to all ranks of a host at once, through memory that they share.
final class AbortBoard: Sendable {
  static let byteCount = 4096
  private static let textStart = 64
  private static let textCapacity = 1024
  private let memory: SharedMemory?
  private let isSet = Atomic<Bool>(false)
  private let text = Mutex("")

  init(memory: SharedMemory?) { self.memory = memory }

  private var flag: UnsafeMutablePointer<pshm_flag>? { memory?.base.assumingMemoryBound(to: pshm_flag.self) }

  /// The reason, once there is one.
  var reason: String? {
    if isSet.load(ordering: .acquiring) { return text.withLock { $0 } }
    guard let memory, let flag, pshm_get(flag) != 0 else { return nil }
    let bytes = UnsafeRawBufferPointer(start: memory.base + Self.textStart, count: Self.textCapacity)
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  func abort(_ reason: String) {
    text.withLock { if $0.isEmpty { $0 = reason } }
    isSet.store(true, ordering: .releasing)
    guard let memory, let flag, pshm_get(flag) == 0 else { return }
    let bytes = Array(reason.utf8.prefix(Self.textCapacity - 1)) + [0]
    bytes.withUnsafeBytes {
      (memory.base + Self.textStart).copyMemory(from: $0.baseAddress!, byteCount: $0.count)
    }
    pshm_set(flag, 1)
  }
}
