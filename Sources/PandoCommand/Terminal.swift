import Foundation

/// What is said to the person at the terminal, beside the answer: standard error.
enum Terminal {
  /// One line.
  static func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
