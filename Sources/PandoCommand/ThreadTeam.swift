import Foundation

/// How the threads of the OpenMP team wait for each other.
///
/// By default they spin for milliseconds before they sleep. Where another program wants the processor that turns every
/// wait into a scheduler's time slice: a step of 2 ms was seen to take 250. Spinning for some tens of microseconds is as
/// fast on a quiet machine and does not fall apart on a busy one.
enum ThreadTeam {
  private static let variable = "GOMP_SPINCOUNT"

  /// The library reads its settings before `main`, so the process starts itself anew with the setting in place, unless
  /// the user has chosen one.
  static func configure() {
    guard getenv(variable) == nil, getenv("OMP_WAIT_POLICY") == nil else { return }
    setenv(variable, "10000", 1)
    _ = CommandLine.unsafeArgv.withMemoryRebound(to: UnsafeMutablePointer<CChar>?.self, capacity: 1) {
      execv("/proc/self/exe", $0)
    }
    // Where the system has no such path the run goes on as it is.
  }
}
