import Foundation
import PandoData

/// Sizes and digests of files, read in pieces.
enum FileDigest {
  /// The SHA-256 of a file, in hexadecimal digits.
  static func sha256(_ url: URL) throws -> String {
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DataError.system("read the file", at: url.path) }
    defer { close(descriptor) }
    return try sha256(descriptor, at: url.path).digest
  }

  /// Flushes a file and its folder's entry to disk, and tells its size and digest.
  static func flushed(_ url: URL) throws -> CheckpointManifest.File {
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw DataError.system("read the file", at: url.path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw DataError.system("flush the file to disk", at: url.path) }
    let (digest, bytes) = try sha256(descriptor, at: url.path)
    return CheckpointManifest.File(name: url.lastPathComponent, bytes: bytes, sha256: digest)
  }

  /// The size of a regular file; `nil` where there is none.
  static func size(_ url: URL) -> Int? {
    var status = stat()
    guard stat(url.path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }

  private static func sha256(_ descriptor: Int32, at path: String) throws -> (digest: String, bytes: Int) {
    var (hash, bytes) = (SHA256(), 0)
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    defer { piece.deallocate() }
    while true {
      let count = read(descriptor, piece.baseAddress, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw DataError.system("read the file", at: path) }
      if count == 0 { return (hash.hexDigest(), bytes) }
      hash.update(UnsafeRawBufferPointer(rebasing: piece[..<count]))
      bytes += count
    }
  }
}
