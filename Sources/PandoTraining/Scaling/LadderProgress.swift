import Foundation

/// Shows how far a ladder is, and knows how long the rest will take from how long the rungs so far have.
final class LadderProgress: TrainingObserver {
  private let ladder: ScalingLadder
  private let time: LadderTime
  private var line: ProgressLine
  private var current:
    (rung: ScalingLadder.Rung, number: Int, began: ContinuousClock.Instant, firstStep: Int?)?
  /// Of the rungs that have ended: seconds as measured and as planned.
  private(set) var secondsSpent = 0.0
  private var secondsPlanned = 0.0

  init(_ ladder: ScalingLadder, time: LadderTime, columns: @escaping () -> Int?) {
    (self.ladder, self.time) = (ladder, time)
    line = ProgressLine(columns: columns)
  }

  /// How much longer things take than planned.
  private var factor: Double { secondsPlanned > 0 ? secondsSpent / secondsPlanned : 1 }

  /// Seconds that a rung will take.
  func seconds(of rung: ScalingLadder.Rung) -> Double { time.seconds(of: rung) * factor }

  /// A rung had ended before.
  func pass(_ result: RungResult) {
    secondsSpent += result.seconds
    secondsPlanned += result.plannedSeconds
  }

  /// A rung begins.
  func begin(_ rung: ScalingLadder.Rung, number: Int) { current = (rung, number, .now, nil) }

  /// A rung has ended.
  func end(_ result: RungResult, number: Int) {
    pass(result)
    line.message(
      "rung \(number)/\(ladder.rungs.count) · \(Figures.grouped(result.parameters)) parameters (\(result.size)) · "
        + "\(Figures.scaled(Double(result.tokens))) tokens · loss \(Figures.number(result.loss)) · "
        + Figures.duration(result.seconds))
    current = nil
  }

  func clear() { line.clear() }

  func didStep(_ record: StepRecord, _ run: TrainingRun) throws {
    guard let current else { return }
    let firstStep = current.firstStep ?? record.step
    self.current?.firstStep = firstStep
    let rung = time.seconds(of: current.rung)
    let done = secondsPlanned + rung * Double(record.step) / Double(max(1, current.rung.steps))
    let all = time.seconds(of: ladder)
    // Before a rung has ended its own steps tell how long things take.
    var factor = factor
    let steps = record.step - firstStep
    if secondsPlanned == 0, steps > 0, rung > 0 {
      let seconds = current.began.duration(to: .now) / .seconds(1)
      factor = seconds / (rung * Double(steps) / Double(current.rung.steps))
    }
    var state = ProgressState(
      step: record.step, totalSteps: current.rung.steps, loss: record.loss,
      samplesPerSecond: record.samplesPerSecond, secondsLeft: max(0, all - done) * factor)
    state.part = ("rung \(current.number)/\(ladder.rungs.count)", all > 0 ? min(1, done / all) : 0)
    line.update(state)
  }
}
