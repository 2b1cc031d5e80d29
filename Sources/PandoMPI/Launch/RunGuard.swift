import Foundation
import Synchronization

/// Cleans up behind a run however it ends: a small shell outside the run's process group that waits for our end of a
/// pipe to close, which even `kill -9` does, then ends whatever still carries the run's name in its environment and
/// removes the run's scratch folder.
final class RunGuard: Sendable {
  let run: String
  let scratch: String
  private let pipeEnd: Mutex<Int32?>
  private let child: ChildProcess

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
    scratch = "\(base)/pando-\(run.prefix(8))"
    guard mkdir(scratch, 0o700) == 0 else {
      throw LaunchError("the folder \(scratch) cannot be made: \(String(cString: strerror(errno)))")
    }
    let pipe = try ClosedPipe()
    pipeEnd = Mutex(pipe.writing)
    let null = open("/dev/null", O_WRONLY | O_CLOEXEC)
    defer {
      close(pipe.reading)
      close(null)
    }
    child = try ChildProcess(
      "/bin/sh", ["-c", Self.script, "pando-guard", run, scratch],
      environment: ["PATH": "/usr/bin:/bin"], descriptors: [0: pipe.reading, 1: null, 2: null])
  }

  /// Has it clean up now, and returns when it has; later calls do nothing.
  func finish() {
    let isFirst = pipeEnd.withLock { end in
      guard let open = end else { return false }
      close(open)
      end = nil
      return true
    }
    if isFirst { _ = child.wait(seconds: 10) }
  }
}
