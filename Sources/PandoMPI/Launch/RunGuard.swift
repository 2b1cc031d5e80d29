import Foundation
import Synchronization

/// Cleans up behind a run however it ends: a small shell outside the run's process group that waits for our end of a
/// pipe to close, which even `kill -9` does, then ends whatever still carries the run's name in its environment and
/// removes the run's scratch folder.
///
/// The shell holds a lock on that folder. Where something ends it and us together, as a system short of memory may, the
/// folder is left without one, and the next run removes it.
final class RunGuard: Sendable {
  let run: String
  let scratch: String
  private let pipeEnd: Mutex<Int32?>
  private let child: ChildProcess
  /// How names of scratch folders begin that somebody holds a lock on while they are in use.
  private static let prefix = "pando-run-"

  private static let script = """
    cat >/dev/null
    for turn in 1 2 3 4 5; do
      found=
      for place in /proc/[0-9]*; do
        if grep -qzxF "PANDO_RUN=$1" "$place/environ" 2>/dev/null; then
          kill -9 "${place#/proc/}" 2>/dev/null && found=1
        fi
      done
      [ -n "$found" ] || break
      sleep 0.1
    done
    rm -rf "$2"
    """

  init() throws(LaunchError) {
    run = UUID().uuidString
    // MPI's sockets have their paths there, which may have 100 characters.
    let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    Self.removeAbandoned(in: base)
    scratch = "\(base)/\(Self.prefix)\(run.prefix(8))"
    guard mkdir(scratch, 0o700) == 0 else {
      throw LaunchError("the folder \(scratch) cannot be made: \(String(cString: strerror(errno)))")
    }
    let pipe = try ClosedPipe()
    pipeEnd = Mutex(pipe.writing)
    let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
    let lock = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    _ = flock(lock, LOCK_SH)
    defer {
      close(pipe.reading)
      close(null)
      close(lock)
    }
    child = try ChildProcess(
      "/bin/sh", ["-c", Self.script, "pando-guard", run, scratch],
      environment: ["PATH": "/usr/bin:/bin"], descriptors: [0: pipe.reading, 1: null, 2: null, 3: lock])
  }

  /// Has it clean up now, and returns when it has; later calls do nothing.
  func finish() {
    let isFirst = pipeEnd.withLock { end in
      guard let open = end else { return false }
      close(open)
      end = nil
      return true
    }
    guard isFirst, child.wait(seconds: 10) != .exited(0) else { return }
    try? FileManager.default.removeItem(atPath: scratch)
  }

  /// Removes the scratch folders that nobody holds a lock on; one that was just made may be without one yet.
  private static func removeAbandoned(in base: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? []
    for name in names where name.hasPrefix(prefix) && name.utf8.count == prefix.utf8.count + 8 {
      let path = "\(base)/\(name)"
      var status = stat()
      guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == getuid(),
        time(nil) - status.st_mtim.tv_sec > 60
      else { continue }
      let lock = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      guard lock >= 0 else { continue }
      if flock(lock, LOCK_EX | LOCK_NB) == 0 { try? FileManager.default.removeItem(atPath: path) }
      close(lock)
    }
  }
}
