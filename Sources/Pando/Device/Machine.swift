import Foundation

/// What this machine offers.
public enum Machine {
  /// One thread for each core, or as many as `OMP_NUM_THREADS` says.
  public static var threads: Int {
    if let text = ProcessInfo.processInfo.environment["OMP_NUM_THREADS"], let count = Int(text), count > 0 {
      return count
    }
    return max(1, ProcessInfo.processInfo.activeProcessorCount)
  }
}
