import Foundation

/// Two ends of a pipe that programs started from here do not inherit.
struct ClosedPipe {
  let reading: Int32
  let writing: Int32

  init() throws(LaunchError) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else {
      throw LaunchError("no pipe can be made: \(String(cString: strerror(errno)))")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (reading, writing) = (ends[0], ends[1])
  }
}
