import Foundation

/// What is said to the person at the terminal, beside the answer: standard error.
enum Terminal {
  /// One line.
  static func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

  /// The width of the terminal that standard error is, where it is one that can write a line anew.
  static var columns: Int? {
    guard isatty(2) == 1, ProcessInfo.processInfo.environment["TERM"] != "dumb" else { return nil }
    var size = winsize()
    guard ioctl(2, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}

/// One line that changes while something long goes on; nothing where standard error is not a terminal.
struct ProgressNote {
  private let name: String
  private let isTerminal = isatty(2) == 1

  init(_ name: String) { self.name = name }

  /// Replaces the line.
  func update(_ text: String) {
    if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K\(name): \(text)".utf8)) }
  }

  /// Removes the line.
  func clear() {
    if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }
}
