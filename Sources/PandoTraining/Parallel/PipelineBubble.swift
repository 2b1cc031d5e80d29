/// How long the stages of a pipeline stood still in a step, and how long they worked.
struct BubbleTimes: Sendable {
  var idleSeconds: Double
  var busySeconds: Double
}

/// When a rank did nothing but wait for another stage.
struct StageWait: Sendable {
  /// What it waited for: `activations of micro-batch 3`.
  let label: String
  let time: ClosedRange<ContinuousClock.Instant>

  var seconds: Double { time.lowerBound.duration(to: time.upperBound) / .seconds(1) }
}

/// The bubble of a pipeline: the time in which its stages stand still, over the time in which they work.
///
/// Measured are the waits for micro-batches, and at the end of a step the wait for the slowest stage, of the ranks of
/// all stages together.
public struct PipelineBubble: Sendable {
  /// What it is where all passes of a kind take equally long and sending takes none: `PipelineOrder.bubble`.
  public let formula: Double
  private var steps = 0
  private var times = BubbleTimes(idleSeconds: 0, busySeconds: 0)

  init(formula: Double) { self.formula = formula }

  /// What it was in the steps so far, but for the first where there are others; `nil` before the first.
  public var measured: Double? { times.busySeconds > 0 ? times.idleSeconds / times.busySeconds : nil }

  mutating func add(_ step: BubbleTimes) {
    // The first step also brings memory and processes into being.
    if steps == 1 { times = BubbleTimes(idleSeconds: 0, busySeconds: 0) }
    steps += 1
    times.idleSeconds += step.idleSeconds
    times.busySeconds += step.busySeconds
  }
}
