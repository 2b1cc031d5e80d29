import Foundation

/// What the operating system says of this process.
public enum ProcessFigures {
  /// The highest resident memory so far, in bytes.
  public static var peakResidentBytes: Int { bytes("VmHWM:") }

  /// The resident memory now, in bytes.
  public static var residentBytes: Int { bytes("VmRSS:") }

  private static func bytes(_ label: String) -> Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
    for line in status.split(separator: "\n") where line.hasPrefix(label) {
      return (line.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1024
    }
    return 0
  }

  /// Seconds since the process was started: before anything of it was loaded.
  public static var secondsSinceStart: Double {
    guard let stat = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
      let uptime = try? String(contentsOfFile: "/proc/uptime", encoding: .utf8),
      let now = uptime.split(separator: " ").first.flatMap({ Double($0) })
    else { return 0 }
    // The name in parentheses may hold spaces; the start time is the 20th field after it, in clock ticks.
    let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
    guard fields.count > 20, let ticks = Double(fields[20]) else { return 0 }
    return now - ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}
