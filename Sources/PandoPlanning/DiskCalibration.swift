import Foundation
import Pando

/// Measures what a disk can do under files that memory is offloaded to.
public enum DiskCalibration {
  /// Writes a file of `byteCount` bytes, reads it, and takes it in and out of memory, stretch by stretch as a run would.
  ///
  /// - Parameter folder: where the file lies meanwhile; it has no name.
  /// - Throws: `OffloadError` where there can be no such file.
  public static func measure(in folder: URL, byteCount: Int = 256 << 20) throws -> Ceilings.Disk {
    let stretch = 8 << 20
    let offsets = Array(stride(from: 0, to: byteCount, by: stretch))
    func perByte(_ body: () throws -> Void) rethrows -> Double {
      let start = ContinuousClock.now
      try body()
      return start.duration(to: .now) / .seconds(1) / Double(offsets.count * stretch)
    }
    var disk = Ceilings.Disk()
    var file: OffloadFile? = try OffloadFile(
      in: folder, byteCount: offsets.count * stretch, isCached: false)
    disk.perByteWritten = perByte {
      for offset in offsets {
        file!.fetch(offset, stretch, writes: true)
        memset(file!.start + offset, 1, stretch)
        file!.release(offset, stretch)
      }
      file!.finishWriting()
    }
    // What was written has been dropped from the system's cache.
    disk.perByteRead = perByte {
      for offset in offsets {
        file!.fetch(offset, stretch, writes: false)
        file!.release(offset, stretch)
      }
    }
    file = try OffloadFile(in: folder, byteCount: offsets.count * stretch)
    for offset in offsets { memset(file!.start + offset, 1, stretch) }
    for offset in offsets { file!.release(offset, stretch) }
    disk.perByteCached = perByte {
      for offset in offsets {
        file!.fetch(offset, stretch, writes: true)
        file!.release(offset, stretch)
      }
    }
    return disk
  }
}
