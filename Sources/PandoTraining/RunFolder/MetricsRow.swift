import Foundation

/// One record of a run's figures: one line of `metrics.jsonl`.
public struct MetricsRow: Hashable, Sendable {
  /// Updates of the weights so far.
  public var step: Int
  /// Passes over the training samples so far.
  public var epoch: Double
  /// Samples learnt from so far.
  public var samples: Int
  /// Wall-clock time of training so far.
  public var seconds: Double
  /// Loss in nats; absent in a record of an evaluation only.
  public var trainLoss: Double?
  /// The learning rate of this step.
  public var learningRate: Double?
  /// The gradient's global norm before clipping.
  public var gradientNorm: Double?
  /// Training speed.
  public var samplesPerSecond: Double?
  /// Bytes that a rank sent to others in this step; absent where there are no others.
  public var sentBytes: Int?
  /// How long the own work of each rank took in the step before, in seconds; empty where there is one rank.
  public var rankSeconds: [Double] = []
  /// What layers tell of themselves, by the names in `figureNames`; empty where they tell nothing.
  public var figures: [String: Double] = [:]
  /// In a pipeline, the time in which its stages stood still over the time in which they worked; absent in others.
  public var bubble: Double?
  /// What was measured on held-out samples, by the metric's name; empty where nothing was.
  public var evaluation: [String: Double]

  /// Figures that layers have: of a mixture of experts the balance loss, 1 where all experts are used evenly, and the
  /// share of choices that found their expert full.
  package static let figureNames = ["balance_loss", "dropped_share"]

  /// A record of `step`.
  public init(
    step: Int, epoch: Double, samples: Int, seconds: Double, trainLoss: Double? = nil,
    learningRate: Double? = nil,
    gradientNorm: Double? = nil, samplesPerSecond: Double? = nil, sentBytes: Int? = nil,
    evaluation: [String: Double] = [:]
  ) {
    self.step = step
    self.epoch = epoch
    self.samples = samples
    self.seconds = seconds
    self.trainLoss = trainLoss
    self.learningRate = learningRate
    self.gradientNorm = gradientNorm
    self.samplesPerSecond = samplesPerSecond
    self.sentBytes = sentBytes
    self.evaluation = evaluation
  }

  /// One line of JSON, without its end; absent figures are left out, those that are not finite are `null`.
  package var json: String {
    var members: [PlainValue.Member] = [
      .init("step", .integer(step)), .init("epoch", .number(epoch)), .init("samples", .integer(samples)),
      .init("seconds", .number(seconds)),
    ]
    let optional = [
      ("train_loss", trainLoss), ("learning_rate", learningRate), ("gradient_norm", gradientNorm),
      ("samples_per_second", samplesPerSecond),
    ]
    for case (let key, let value?) in optional { members.append(.init(key, .number(value))) }
    for name in Self.figureNames {
      if let value = figures[name] { members.append(.init(name, .number(value))) }
    }
    if let bubble { members.append(.init("bubble", .number(bubble))) }
    if let sentBytes { members.append(.init("sent_bytes", .integer(sentBytes))) }
    if !rankSeconds.isEmpty { members.append(.init("rank_seconds", .list(rankSeconds.map { .number($0) }))) }
    if !evaluation.isEmpty {
      let inside = evaluation.sorted { $0.key < $1.key }.map { PlainValue.Member($0.key, .number($0.value)) }
      members.append(.init("eval", .map(inside)))
    }
    return PlainValue.map(members).json
  }

  /// Reads what `json` writes; `nil` where the line is anything else.
  package init?(json line: some Sequence<UInt8>) {
    guard let object = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
      let step = object["step"] as? Int, let epoch = object["epoch"] as? Double,
      let samples = object["samples"] as? Int, let seconds = object["seconds"] as? Double
    else { return nil }
    func number(_ value: Any?) -> Double? { value is NSNull ? .nan : value as? Double }
    self.init(
      step: step, epoch: epoch, samples: samples, seconds: seconds, trainLoss: number(object["train_loss"]),
      learningRate: number(object["learning_rate"]), gradientNorm: number(object["gradient_norm"]),
      samplesPerSecond: number(object["samples_per_second"]), sentBytes: object["sent_bytes"] as? Int,
      evaluation: (object["eval"] as? [String: Any] ?? [:]).compactMapValues(number))
    for name in Self.figureNames { figures[name] = number(object[name]) }
    bubble = number(object["bubble"])
    rankSeconds = (object["rank_seconds"] as? [Any] ?? []).compactMap(number)
  }
}
