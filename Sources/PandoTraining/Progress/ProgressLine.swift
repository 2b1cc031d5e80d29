import Foundation

/// Shows how far a run is: one line that is written anew on a terminal, a plain line now and then elsewhere.
///
/// Everything goes to standard error, so that standard output stays clean for `--json`.
public struct ProgressLine {
  private let isTerminal: Bool
  private let width: () -> Int
  private let now: () -> Double
  private let write: (String) -> Void
  private var nextTime: Double
  private var start: (step: Int, time: Double)?
  private var isLineOpen = false

  /// Seconds between two lines on a terminal.
  private static let terminalInterval = 0.1
  /// Seconds before the first plain line; whatever is done by then needs none.
  private static let firstPlainLine = 2.0
  /// Seconds between two plain lines.
  private static let plainInterval = 10.0

  /// Progress on standard error.
  ///
  /// - Parameter columns: how wide the terminal is that it is seen on, asked again for each line; `nil` where it is
  ///   none.
  public init(columns: @escaping () -> Int?) {
    let began = ContinuousClock.now
    self.init(
      isTerminal: columns() != nil, width: { columns() ?? 80 },
      now: { began.duration(to: .now) / .seconds(1) },
      write: { FileHandle.standardError.write(Data($0.utf8)) })
  }

  /// Progress for a test: who it is for, what time it is (in seconds), and who takes the text.
  package init(
    isTerminal: Bool, width: @escaping () -> Int, now: @escaping () -> Double,
    write: @escaping (String) -> Void
  ) {
    (self.isTerminal, self.width, self.now, self.write) = (isTerminal, width, now, write)
    nextTime = now() + (isTerminal ? 0 : Self.firstPlainLine)
  }

  /// Shows `state`, unless something was shown a moment ago.
  public mutating func update(_ state: ProgressState) {
    let time = now()
    if start == nil { start = (state.step, time) }
    guard time >= nextTime else { return }
    nextTime = time + (isTerminal ? Self.terminalInterval : Self.plainInterval)
    show(state, at: time)
  }

  /// Shows the last state in any case, and ends the line.
  public mutating func finish(_ state: ProgressState) {
    show(state, at: now())
    if isTerminal { write("\n") }
    isLineOpen = false
  }

  /// Writes a line of its own; a line being updated goes on below it.
  public mutating func message(_ text: String) {
    write((isLineOpen ? "\r\u{1b}[K" : "") + text + "\n")
    isLineOpen = false
    if isTerminal { nextTime = now() }
  }

  /// Leaves the terminal clean for what comes next, such as an error.
  public mutating func clear() {
    if isLineOpen { write("\r\u{1b}[K") }
    isLineOpen = false
  }

  private mutating func show(_ state: ProgressState, at time: Double) {
    var state = state
    if state.secondsLeft == nil, let start, state.step > start.step {
      let perStep = (time - start.time) / Double(state.step - start.step)
      state.secondsLeft = perStep * Double(max(0, state.totalSteps - state.step))
    }
    if isTerminal {
      // One column stays free: some terminals begin a new line once the last one is filled.
      write("\r" + state.line(width: max(10, width() - 1)) + "\u{1b}[K")
      isLineOpen = true
    } else {
      write(state.line() + "\n")
    }
  }
}
