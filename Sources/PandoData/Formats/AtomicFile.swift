import Foundation

/// Writes files so that a reader, or a crash at any point, finds the old contents or the new, never a part.
public enum AtomicFile {
  /// Writes what `body` gives to a temporary file beside `url`, flushes it to disk, then renames it to `url`.
  ///
  /// - Throws: `DataError` with the operating system's reason (a full disk, a folder that cannot be written), or
  ///   what `body` throws. The temporary file is then removed, and a file already at `url` stays as it was.
  public static func write(to url: URL, _ body: (FileSink) throws -> Void) throws {
    let folder = url.deletingLastPathComponent()
    let suffix = String(UInt64.random(in: 0 ... .max), radix: 36)
    let temporary = folder.appendingPathComponent(".\(url.lastPathComponent).\(suffix).partial").path
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw DataError.system("create the file", at: url.path) }
    var isOpen = true
    do {
      try body(FileSink(descriptor: descriptor, place: url.path))
      guard fsync(descriptor) == 0 else { throw DataError.system("flush the file to disk", at: url.path) }
      isOpen = false
      guard close(descriptor) == 0 else { throw DataError.system("write the file", at: url.path) }
      guard rename(temporary, url.path) == 0 else {
        throw DataError.system("put the file in place", at: url.path)
      }
    } catch {
      if isOpen { close(descriptor) }
      unlink(temporary)
      throw error
    }
    syncFolder(folder)
  }

  /// Writes `bytes` as the whole of the file at `url`.
  public static func write(_ bytes: some ContiguousBytes, to url: URL) throws {
    try write(to: url) { sink in try bytes.withUnsafeBytes { try sink.write($0) } }
  }

  /// Makes the folder's own entries survive a crash, such as a file just renamed inside it.
  ///
  /// Some file systems do not support this for folders; they order renames themselves.
  public static func syncFolder(_ folder: URL) {
    let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }
}

/// A file being written from front to back.
public struct FileSink {
  private let descriptor: Int32
  private let place: String

  /// Writes to an open file; `place` names it in errors.
  package init(descriptor: Int32, place: String) {
    self.descriptor = descriptor
    self.place = place
  }

  /// Appends `bytes`, all of them.
  ///
  /// - Throws: `DataError` with the operating system's reason, such as a full disk.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes
    while let start = rest.baseAddress, rest.count > 0 {
      let count = systemWrite(descriptor, start, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw DataError.system("write the file", at: place)
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }
}

/// The C function, under a name that methods called `write` do not hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
