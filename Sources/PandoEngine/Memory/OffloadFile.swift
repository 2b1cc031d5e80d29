import CFiles
import Foundation
import Synchronization

/// Memory that lies in a file: a shared mapping of a file without a name, which is gone with the process however that
/// ends. The disk's blocks are the file's from the start, so that a full disk is an error here and never a signal later.
///
/// Reading and writing it works like memory at any time: pages come when they are touched. `fetch` has them come ahead,
/// `release` takes them out of the process again.
public final class OffloadFile: @unchecked Sendable {
  /// Stretches begin at multiples of this many bytes: whole pages, and no page of one comes with its neighbour's.
  public static let alignment = 1 << 16

  /// Bytes of the file.
  public let byteCount: Int
  /// Where it is mapped.
  public let start: UnsafeMutableRawPointer
  private let descriptor: Int32
  /// Whether the system's cache may keep what is released.
  private let isCached: Bool
  private let used = Mutex(0)
  private let writer: WriteBehind?

  /// A file of zeros.
  ///
  /// - Parameters:
  ///   - folder: where it lies; made where it is missing.
  ///   - byteCount: how long it is, in bytes; rounded up to whole stretches.
  ///   - isCached: whether the system may keep in its cache what is released, as long as it has memory to spare.
  ///     Otherwise what is released is written at once and then dropped.
  /// - Throws: `OffloadError` where the folder cannot be used, lies in memory, or its disk has too little room.
  public init(in folder: URL, byteCount: Int, isCached: Bool = true) throws {
    let byteCount = Self.aligned(max(1, byteCount))
    self.byteCount = byteCount
    self.isCached = isCached
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw OffloadError(folder, "cannot be made: \(error.localizedDescription)")
    }
    func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
    descriptor = pf_create_nameless(folder.path)
    guard descriptor >= 0 else { throw OffloadError(folder, "cannot hold a file: \(reason(errno))") }
    let descriptor = descriptor
    func refuse(_ text: String) -> OffloadError {
      close(descriptor)
      return OffloadError(folder, text)
    }
    guard !pf_is_memory(descriptor) else {
      throw refuse("lies in memory (tmpfs), where offloading saves nothing; name one on a disk")
    }
    let room = pf_free_bytes(descriptor)
    guard room >= byteCount else {
      throw refuse("has room for \(room) bytes, and \(byteCount) are needed; name one on a larger disk")
    }
    let status = pf_reserve(descriptor, Int64(byteCount))
    guard status == 0 else {
      throw refuse("has no room for \(byteCount) bytes: \(reason(status)); name one on a larger disk")
    }
    guard let mapped = pf_map(descriptor, byteCount, Self.alignment) else {
      throw refuse("holds a file of \(byteCount) bytes that cannot be mapped: \(reason(errno))")
    }
    start = mapped
    writer = isCached ? nil : WriteBehind(descriptor)
  }

  deinit {
    writer?.finish()
    munmap(start, byteCount)
    close(descriptor)
  }

  /// Bytes rounded up to whole stretches.
  public static func aligned(_ bytes: Int) -> Int { (bytes + alignment - 1) / alignment * alignment }

  /// Takes the next stretch of the file.
  ///
  /// - Parameter bytes: how many it must hold; there must be as many left.
  /// - Returns: its place, in bytes from the start.
  public func take(_ bytes: Int) -> Int {
    used.withLock { used in
      defer { used += Self.aligned(bytes) }
      precondition(used + Self.aligned(bytes) <= byteCount, "the file was made too small")
      return used
    }
  }

  /// Has a stretch come into memory, and returns when it is there.
  ///
  /// - Parameters:
  ///   - offset: where it begins, a multiple of `alignment`.
  ///   - bytes: its length.
  ///   - writes: whether it will be written too.
  public func fetch(_ offset: Int, _ bytes: Int, writes: Bool) {
    pf_populate(start + offset, Self.aligned(bytes), writes)
  }

  /// Takes a stretch out of this process's memory; what it holds stays.
  public func release(_ offset: Int, _ bytes: Int) {
    let bytes = Self.aligned(bytes)
    pf_unmap_pages(start + offset, bytes)
    writer?.write(offset, bytes)
  }

  /// Returns once what was released has been written, where the system's cache may not keep it.
  public func finishWriting() { writer?.finish() }

  /// Takes a stretch out of this process's memory whose contents nobody wants any more; it reads as anything afterwards.
  public func discard(_ offset: Int, _ bytes: Int) {
    let bytes = Self.aligned(bytes)
    pf_unmap_pages(start + offset, bytes)
    // Where all is written to the disk, this saves writing it, and reading it before it is written over.
    if !isCached { pf_forget(descriptor, Int64(offset), Int64(bytes)) }
  }
}

/// Writes to the disk what is released, on a thread of its own and only so far behind.
private final class WriteBehind: Sendable {
  private static let mostBytes = 256 << 20
  private let descriptor: Int32
  private let queue = DispatchQueue(label: "pando.offload.write", qos: .utility)
  private let waiting = Mutex(0)
  private let progress = DispatchSemaphore(value: 0)

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// Begins to write a stretch; waits while too much is on its way.
  func write(_ offset: Int, _ bytes: Int) {
    while true {
      let mayBegin = waiting.withLock { waiting in
        guard waiting == 0 || waiting + bytes <= Self.mostBytes else { return false }
        waiting += bytes
        return true
      }
      if mayBegin { break }
      // A signal that nobody waited for only has this look again.
      progress.wait()
    }
    queue.async { [self] in
      pf_write_out(descriptor, Int64(offset), Int64(bytes))
      waiting.withLock { $0 -= bytes }
      progress.signal()
    }
  }

  /// Returns once nothing is on its way.
  func finish() { queue.sync {} }
}

/// A folder in which nothing can be offloaded.
public struct OffloadError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The folder.
  public let folder: String
  /// What is wrong with it, and the mend.
  public let message: String

  init(_ folder: URL, _ message: String) { (self.folder, self.message) = (folder.path, message) }

  public var description: String { "the folder \(folder) \(message)" }
}
