import Foundation

/// What `mpirun` writes to its standard error: its own reports, which stand between lines of dashes, are kept apart from
/// what the ranks write, which is passed on.
struct RankReport {
  /// A rank that ended badly, as far as `mpirun` tells.
  struct Failure: Hashable {
    var rank: Int
    var host: String?
    /// The signal that ended it, or its exit code.
    var cause: String
  }
  /// The first rank that failed.
  private(set) var failure: Failure?
  /// What else `mpirun` reported, in one line.
  private(set) var complaint: String?
  private var pending = Data()
  private var banner: [String]?

  /// Takes what was read, and returns what is to be passed on.
  mutating func take(_ data: Data) -> Data {
    pending.append(data)
    var passed = Data()
    while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
      let line = pending[pending.startIndex...end]
      pending = Data(pending[pending.index(after: end)...])
      if !isOwn(String(decoding: line.dropLast(), as: UTF8.self)) { passed.append(line) }
    }
    return passed
  }

  /// What is left at the end.
  mutating func finish() -> Data {
    defer { pending = Data() }
    return pending
  }

  /// Whether a line is `mpirun`'s.
  private mutating func isOwn(_ line: String) -> Bool {
    if line.count >= 60, line.allSatisfy({ $0 == "-" }) {
      if let banner { read(banner) }
      banner = banner == nil ? [] : nil
      return true
    }
    if banner != nil {
      banner!.append(line)
      return true
    }
    return line.hasPrefix("mpirun: ")
  }

  private mutating func read(_ lines: [String]) {
    let text = lines.joined(separator: " ").split(separator: " ").joined(separator: " ")
    // "mpirun noticed that process rank 1 with PID 0 on node vm exited on signal 9 (Killed)."
    if let match = text.firstMatch(
      of: /process rank (\d+) with PID \d+ on node (\S+) exited on (signal .+?)\.?$/)
    {
      failure = Failure(rank: Int(match.1) ?? 0, host: String(match.2), cause: "ended by \(match.3)")
    } else if let match = text.firstMatch(of: /Process name: \[\[\d+,\d+\],(\d+)\] Exit code: (\d+)/) {
      failure = Failure(rank: Int(match.1) ?? 0, host: nil, cause: "ended with code \(match.2)")
    } else if !text.hasPrefix("Primary job") && complaint == nil {
      complaint = text
    }
  }
}
