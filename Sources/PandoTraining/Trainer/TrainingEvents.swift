import PandoIR

/// What a run tells those who watch it.
public protocol TrainingObserver {
  /// Everything is compiled; the first step comes next.
  func willStart(_ run: TrainingRun)
  /// A step is done.
  func didStep(_ record: StepRecord, _ run: TrainingRun) throws
  /// The held-out samples have been measured; `isBest` where the objective's metric has never been better.
  func didEvaluate(_ record: EvaluationRecord, _ run: TrainingRun) throws
  /// A checkpoint comes next, on whichever rank writes it: all ranks are at the same step.
  func willSave(_ run: TrainingRun) throws
  /// A checkpoint is in place.
  func didSave(step: Int, _ run: TrainingRun)
}

/// Whoever watches attends to what it wants.
extension TrainingObserver {
  /// Does nothing.
  public func willStart(_ run: TrainingRun) {}
  /// Does nothing.
  public func didStep(_ record: StepRecord, _ run: TrainingRun) throws {}
  /// Does nothing.
  public func didEvaluate(_ record: EvaluationRecord, _ run: TrainingRun) throws {}
  /// Does nothing.
  public func willSave(_ run: TrainingRun) throws {}
  /// Does nothing.
  public func didSave(step: Int, _ run: TrainingRun) {}
}

/// Figures of one step.
public struct StepRecord: Sendable {
  /// Steps done, this one included.
  public let step: Int
  /// Mean loss over the step's samples, in nats.
  public let loss: Double
  /// The gradient's global norm before clipping.
  public let gradientNorm: Double
  /// The learning rate used.
  public let learningRate: Double
  /// Samples seen since the run began, over all its sessions.
  public let samples: Int
  /// Samples in each second, lately.
  public let samplesPerSecond: Double
  /// Seconds of this process's own work, without waiting for other ranks.
  public let ownSeconds: Double
  /// Bytes that this rank sent to others.
  public var sentBytes = 0
  /// Seconds in which this rank did nothing but exchange with others, or wait for them.
  public var exchangeSeconds = 0.0
  /// What layers tell of themselves, by name: `balance_loss`, `dropped_share`.
  public var figures: [String: Double] = [:]
  /// In a pipeline, the time in which its stages stood still over the time in which they worked.
  public var bubble: Double?
}

/// Figures of one evaluation.
public struct EvaluationRecord: Sendable {
  /// Steps done.
  public let step: Int
  /// What was measured.
  public let result: EvaluationResult
  /// Whether the objective's metric has never been better.
  public let isBest: Bool
}

/// Why a run ended.
public enum StopReason: String, Sendable, Codable {
  /// All steps are done.
  case finished
  /// The objective's target is reached.
  case target
  /// The metric has not improved for too many evaluations.
  case patience
  /// Someone asked it to stop.
  case interrupted
}

/// Training that cannot go on.
public struct TrainingError: Error, Sendable, CustomStringConvertible {
  /// What happened and what to do.
  public let description: String
  /// An error with its description.
  public init(_ description: String) { self.description = description }
}
