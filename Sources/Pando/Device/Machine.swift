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

  /// What the processor calls itself.
  public static var processor: String { processorField("model name") ?? "unknown processor" }

  /// What the system says of the first processor under a heading of `/proc/cpuinfo`, such as `flags`.
  public static func processorField(_ key: String) -> String? {
    guard let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8) else { return nil }
    return text.split(separator: "\n").first { $0.hasPrefix(key) }
      .flatMap { $0.split(separator: ":", maxSplits: 1).last }.map { $0.trimmingCharacters(in: .whitespaces) }
  }
}
