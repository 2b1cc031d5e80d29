import Foundation
import PandoEngine

/// The memory of a program's intermediate values: one mapping, whose end lies against a page that traps.
///
/// It knows the highest byte that it has handed out, which is what "measured peak" means.
final class Arena {
  let byteCount: Int
  private let mapping: UnsafeMutableRawPointer
  private let mappedBytes: Int
  private let base: UnsafeMutableRawPointer
  private(set) var highestByte = 0

  init(byteCount: Int) throws {
    self.byteCount = byteCount
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let bodyBytes = (byteCount + page - 1) / page * page
    mappedBytes = bodyBytes + page
    guard
      // Not set aside: a program that is only planned may be larger than the machine.
      let mapped = mmap(
        nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0),
      mapped != MAP_FAILED
    else {
      throw EngineError(
        "cannot reserve \(byteCount) bytes for intermediate values: \(String(cString: strerror(errno)))")
    }
    mapping = mapped
    mprotect(mapped + bodyBytes, page, PROT_NONE)
    base = mapped + (bodyBytes - byteCount)
  }

  deinit { munmap(mapping, mappedBytes) }

  /// Lets the system gather the pages, which have been touched by now, into large ones in the background.
  ///
  /// Large pages from the start would make the first run wait: where memory is handed back to a host, as in many virtual
  /// machines, a fresh large page costs milliseconds, hundreds of small ones that were in use a moment ago do not.
  func gatherPages() {
    #if os(Linux)
    madvise(mapping, mappedBytes, 14 /* MADV_HUGEPAGE */)
    #endif
  }

  /// The address of `count` bytes at `offset`, for an operation to use.
  func address(_ offset: Int, count: Int) -> UnsafeMutableRawPointer {
    precondition(
      offset >= 0 && offset + count <= byteCount, "\(count) bytes at \(offset) lie outside the arena")
    highestByte = max(highestByte, offset + count)
    return base + offset
  }
}
