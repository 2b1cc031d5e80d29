import Pando

/// What a step sent to other ranks, and what that held it up.
struct StepTraffic {
  /// Bytes that this rank sent.
  var sentBytes = 0
  /// Time in which this rank did nothing but exchange, or wait for others that were not as far.
  var seconds = 0.0

  /// Does something and counts what it sends and how long it takes.
  mutating func count(_ communicator: any Communicator, _ work: () throws -> Void) rethrows {
    let (sent, start) = (communicator.recorder.sentBytes, ContinuousClock.now)
    try work()
    seconds += start.duration(to: .now) / .seconds(1)
    sentBytes += communicator.recorder.sentBytes - sent
  }

  /// Runs programs of a mesh and counts what they send, and how long they wait for it.
  mutating func count(_ group: MeshGroup, _ work: () throws -> Void) rethrows {
    let (sent, waited) = (group.communicator.recorder.sentBytes, group.waitedSeconds)
    try work()
    seconds += group.waitedSeconds - waited
    sentBytes += group.communicator.recorder.sentBytes - sent
  }
}

/// What several steps sent.
public struct TrafficCount: Sendable {
  private var steps = 0
  private var total = StepTraffic()
  private var seconds = 0.0

  mutating func add(_ traffic: StepTraffic, stepSeconds: Double) {
    steps += 1
    total.sentBytes += traffic.sentBytes
    total.seconds += traffic.seconds
    seconds += stepSeconds
  }

  /// Bytes that this rank sent in a step, on average.
  public var sentBytesPerStep: Double { steps > 0 ? Double(total.sentBytes) / Double(steps) : 0 }

  /// Share of the steps' time in which this rank did nothing but exchange with others, or wait for them.
  public var exchangeShare: Double { seconds > 0 ? total.seconds / seconds : 0 }
}
