import PandoTraining
import Testing

@Test(arguments: [
  (0, "0.0 s"), (0.44, "0.4 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min 00 s"),
  (185, "3 min 05 s"), (3599.6, "1 h 00 min"), (7620, "2 h 07 min"), (273_600, "3 d 04 h"), (.infinity, "–"),
  (.nan, "–"), (-1, "–"),
])
func durationsAreShort(_ seconds: Double, _ text: String) {
  #expect(Figures.duration(seconds) == text)
}

@Test(arguments: [
  (0, "0"), (7, "7"), (950, "950"), (999.6, "1.00k"), (1234, "1.23k"), (12_345, "12.3k"), (123_456, "123k"),
  (45_600_000, "45.6M"), (2.5e9, "2.50G"), (0.5, "0.50"), (.nan, "NaN"),
])
func scaledFiguresHaveThreeDigits(_ value: Double, _ text: String) {
  #expect(Figures.scaled(value) == text)
}

@Test(arguments: [
  (2.302585, "2.303"), (0.042134, "0.04213"), (12.34567, "12.35"), (1234.5, "1234"), (0, "0"),
  (1e-7, "1e-07"),
  (3.14e8, "3.1e+08"), (-0.5, "-0.5000"), (.infinity, "∞"), (.nan, "NaN"),
])
func numbersHaveFourDigits(_ value: Double, _ text: String) {
  #expect(Figures.number(value) == text)
}

@Test func bytesAndCountsAreGrouped() {
  #expect(Figures.bytes(512) == "512 B")
  #expect(Figures.bytes(1536) == "1.50 KiB")
  #expect(Figures.bytes(1 << 30) == "1.00 GiB")
  #expect(Figures.bytes((1 << 30) - 1) == "1.00 GiB")
  #expect(Figures.grouped(1_234_567) == "1,234,567")
  #expect(Figures.grouped(-999) == "-999")
  #expect(Figures.metric("accuracy", 0.92514) == "92.51 %")
  #expect(Figures.metric("loss", 0.25) == "0.2500")
}

private let state = ProgressState(
  step: 120, totalSteps: 2000, loss: 0.42134, metric: ("accuracy", 0.921), samplesPerSecond: 12_345,
  secondsLeft: 185)

@Test func progressLineSaysAll() {
  #expect(
    state.line()
      == "step 120/2,000 · 6 % · loss 0.4213 · accuracy 92.10 % · 12.3k samples/s · 3 min 05 s left")
  #expect(ProgressState(step: 0, totalSteps: 0).line() == "step 0/0")
  let end = ProgressState(step: 2000, totalSteps: 2000, secondsLeft: 0)
  #expect(end.line() == "step 2,000/2,000 · 100 %")
  var mixture = state
  mixture.balance = 1.0625
  #expect(mixture.line().contains("loss 0.4213 · balance 1.062 · accuracy 92.10 %"))
}

@Test func narrowTerminalsLoseWhatMattersLeast() {
  #expect(state.line(width: 80) == "step 120/2,000 · 6 % · loss 0.4213 · accuracy 92.10 % · 3 min 05 s left")
  #expect(state.line(width: 50) == "step 120/2,000 · loss 0.4213 · 3 min 05 s left")
  #expect(state.line(width: 30) == "step 120/2,000 · loss 0.4213")
  for width in 20...120 { #expect(state.line(width: width).count <= width) }
}

/// What a progress line wrote, and the time that it was told.
private final class Recorder {
  var time = 0.0
  var text: [String] = []

  func line(isTerminal: Bool, width: Int = 80) -> ProgressLine {
    ProgressLine(
      isTerminal: isTerminal, width: { width }, now: { self.time }, write: { self.text.append($0) })
  }
}

@Test func plainOutputIsALineNowAndThen() {
  let recorder = Recorder()
  var line = recorder.line(isTerminal: false)
  for step in 1...250 {
    recorder.time = Double(step) / 10
    line.update(ProgressState(step: step, totalSteps: 500))
  }
  // After 2 s, 12 s and 22 s.
  #expect(recorder.text.count == 3)
  #expect(recorder.text.first == "step 20/500 · 4 % · 48 s left\n")
  line.finish(ProgressState(step: 500, totalSteps: 500))
  #expect(recorder.text.last == "step 500/500 · 100 %\n")
  #expect(!recorder.text.joined().contains("\u{1b}"))
}

@Test func shortRunsSayOneLine() {
  let recorder = Recorder()
  var line = recorder.line(isTerminal: false)
  for step in 1...10 {
    recorder.time = Double(step) / 10
    line.update(ProgressState(step: step, totalSteps: 10))
  }
  #expect(recorder.text.isEmpty)
  line.finish(ProgressState(step: 10, totalSteps: 10))
  #expect(recorder.text == ["step 10/10 · 100 %\n"])
}

@Test func terminalLineIsWrittenAnew() {
  let recorder = Recorder()
  var line = recorder.line(isTerminal: true, width: 21)
  line.update(ProgressState(step: 1, totalSteps: 10, loss: 0.5))
  recorder.time = 0.05
  line.update(ProgressState(step: 2, totalSteps: 10, loss: 0.5))
  #expect(recorder.text == ["\rstep 1/10 · 10 %\u{1b}[K"])
  line.message("saved")
  line.clear()
  line.update(ProgressState(step: 3, totalSteps: 10))
  line.finish(ProgressState(step: 10, totalSteps: 10))
  #expect(
    recorder.text.dropFirst().joined()
      == "\r\u{1b}[Ksaved\n\rstep 3/10 · 30 %\u{1b}[K\rstep 10/10 · 100 %\u{1b}[K\n")
}
