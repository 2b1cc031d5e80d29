import Foundation
import PandoMPI
import Testing

/// What is passed on of what `mpirun` and the ranks write.
@Suite struct RankReportTests {
  /// Everything passed on, however it comes in pieces.
  private func passed(_ text: String, pieces: Int) -> (text: String, report: RankReport) {
    var (report, result) = (RankReport(), Data())
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      result += report.take(Data(bytes[start..<min(bytes.count, start + pieces)]))
    }
    result += report.finish()
    return (String(decoding: result, as: UTF8.self), report)
  }

  @Test(arguments: [1, 2, 7, 1000])
  func aLineWrittenAnewIsPassedOnAtOnce(_ pieces: Int) {
    let states = "\rstep 1/9\u{1b}[K\rstep 2/9\u{1b}[K"
    #expect(passed(states + "\nloss 0.5\n", pieces: pieces).text == states + "\nloss 0.5\n")
    // Before anything else is written it is cleared.
    #expect(passed(states + "warning: x\n", pieces: pieces).text == states + "\r\u{1b}[Kwarning: x\n")
    #expect(passed(states, pieces: pieces).text == states + "\r\u{1b}[K")
    let cleared = states + "\r\u{1b}[Kstep 2 · best\n"
    #expect(passed(cleared, pieces: pieces).text == cleared)
  }

  @Test func itDoesNotWaitForTheLinesEnd() {
    var report = RankReport()
    #expect(report.take(Data("\rstep 1/9\u{1b}[K".utf8)) == Data("\rstep 1/9\u{1b}[K".utf8))
    #expect(report.isLineOpen)
    #expect(report.take(Data("plain".utf8)).isEmpty)
  }

  @Test func aReportBehindSuchALineIsKeptApart() {
    let line = String(repeating: "-", count: 60)
    let (text, report) = passed(
      "\rstep 1/9\u{1b}[K\(line)\nmpirun noticed that process rank 1 with PID 0 on node vm exited on "
        + "signal 9 (Killed).\n\(line)\n", pieces: 5)
    #expect(text == "\rstep 1/9\u{1b}[K\r\u{1b}[K")
    #expect(report.failure == RankReport.Failure(rank: 1, host: "vm", cause: "ended by signal 9 (Killed)"))
  }
}
