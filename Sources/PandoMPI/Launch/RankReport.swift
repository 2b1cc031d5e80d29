import Foundation

/// What `mpirun` writes to its standard error: its own reports, which stand between lines of dashes, are kept apart from
/// what the ranks write, which is passed on. A line that is written anew again and again, from a carriage return to the
/// clearing of its rest, is passed on as it is, and cleared before anything else is written.
package struct RankReport {
  /// A rank that ended badly, as far as `mpirun` tells.
  package struct Failure: Hashable {
    package var rank: Int
    package var host: String?
    /// The signal that ended it, or its exit code.
    package var cause: String

    package init(rank: Int, host: String?, cause: String) {
      (self.rank, self.host, self.cause) = (rank, host, cause)
    }
  }
  /// The first rank that failed.
  package private(set) var failure: Failure?
  /// What else `mpirun` reported, in one line.
  package private(set) var complaint: String?
  /// Whether a line that will be written anew stands on the terminal.
  package private(set) var isLineOpen = false
  private var pending = Data()
  private var banner: [String]?

  /// Nothing yet.
  package init() {}

  /// Takes what was read, and returns what is to be passed on.
  package mutating func take(_ data: Data) -> Data {
    pending.append(data)
    var passed = Data()
    while let line = nextPiece() {
      if line.last != UInt8(ascii: "\n") {
        passed.append(line)
        isLineOpen = line.count > 1 + Self.clearing.count
      } else if !isOwn(String(decoding: line.dropLast(), as: UTF8.self)) {
        // The line's own end follows its last state.
        if isLineOpen, line.count > 1 { passed.append(Self.clearedLine) }
        isLineOpen = false
        passed.append(line)
      }
    }
    return passed
  }

  /// What ends a line that is written anew: clear to the end of the line.
  private static let clearing = Data("\u{1b}[K".utf8)
  /// What makes room where such a line stands.
  static let clearedLine = Data("\r".utf8) + clearing

  /// The next line, or state of a line that is written anew, once it is whole.
  private mutating func nextPiece() -> Data? {
    let newline = pending.firstIndex(of: UInt8(ascii: "\n")).map { pending.index(after: $0) }
    var end = newline
    if pending.first == UInt8(ascii: "\r"), let clear = pending.range(of: Self.clearing) {
      end = min(clear.upperBound, newline ?? clear.upperBound)
    }
    guard let end else { return nil }
    let piece = Data(pending[..<end])
    pending = Data(pending[end...])
    return piece
  }

  /// What is left at the end.
  package mutating func finish() -> Data {
    defer { (pending, isLineOpen) = (Data(), false) }
    return (isLineOpen ? Self.clearedLine : Data()) + pending
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
