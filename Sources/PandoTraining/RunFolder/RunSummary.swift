import Foundation

/// The figures of a run, as `summary.json` holds them.
public struct RunSummary: Hashable, Sendable, Codable {
  /// Updates of the weights.
  public var steps: Int
  /// Passes over the training samples.
  public var epochs: Double
  /// Samples learnt from, repeats included.
  public var samples: Int
  /// Wall-clock time of training, all sessions of a resumed run together.
  public var seconds: Double
  /// Training speed.
  public var samplesPerSecond: Double
  /// Loss of the last step, in nats; not-a-number where there was none.
  public var trainLoss: Double
  /// What the last evaluation measured, by the metric's name.
  public var eval: [String: Double]
  /// Trained elements.
  public var parameters: Int
  /// The most memory that the run used, as measured.
  public var peakMemoryBytes: Int
  /// The most memory that the plan foresaw.
  public var plannedMemoryBytes: Int
  /// Bytes in files in place of memory, on a rank.
  public var offloadedBytes: Int
  /// Seconds of the session in which the first rank waited for memory in files.
  public var offloadWaitSeconds: Double
  /// Processes, at the end.
  public var ranks: Int
  /// The device's name.
  public var device: String
  /// As in the recipe.
  public var precision: String
  /// SHA-256 of the final weights, in name order, in hexadecimal digits.
  public var weightsSHA256: String
  /// As in the recipe.
  public var seed: Int
  /// How often the run went on after it had ended without being asked to.
  public var restarts: Int
  /// Steps that were done again, since the run had to go back to a checkpoint.
  public var wastedSteps: Int
  /// Bytes that a rank sent to others in a step, on average over the session.
  public var sentBytesPerStep: Double
  /// Share of the steps' time in which a rank did nothing but exchange with others, or wait for them.
  public var exchangeShare: Double
  /// What it took; absent in summaries of earlier versions.
  public var energy: EnergyFigures?
  /// How long each rank's own work takes in a step, without waiting for others, in seconds; empty where there is one.
  public var rankSeconds: [Double]
  /// Of a mixture of experts, the balance loss of the last step: 1 where all experts are used evenly.
  public var balanceLoss: Double?
  /// Of a mixture of experts, the share of choices of the last step that found their expert full.
  public var droppedShare: Double?
  /// Of a pipeline, the time in which its stages stood still over the time in which they worked, as measured.
  public var bubble: Double?
  /// Of a pipeline, the same as the schedule alone gives it.
  public var bubbleFormula: Double?
  /// What the operating system was to count for each rank's process, by the plan; empty in summaries of earlier versions.
  public var plannedResidentBytes: [Int]
  /// What it did count, at the highest, when training had ended.
  public var residentBytes: [Int]

  /// All figures at once.
  public init(
    steps: Int, epochs: Double, samples: Int, seconds: Double, samplesPerSecond: Double, trainLoss: Double,
    eval: [String: Double], parameters: Int, peakMemoryBytes: Int, plannedMemoryBytes: Int, ranks: Int,
    device: String, precision: String, weightsSHA256: String, seed: Int,
    restarts: Int = 0, wastedSteps: Int = 0, sentBytesPerStep: Double = 0, exchangeShare: Double = 0,
    rankSeconds: [Double] = [], plannedResidentBytes: [Int] = [], residentBytes: [Int] = [],
    energy: EnergyFigures? = nil, offloadedBytes: Int = 0, offloadWaitSeconds: Double = 0
  ) {
    self.offloadedBytes = offloadedBytes
    self.offloadWaitSeconds = offloadWaitSeconds
    self.steps = steps
    self.epochs = epochs
    self.samples = samples
    self.seconds = seconds
    self.samplesPerSecond = samplesPerSecond
    self.trainLoss = trainLoss
    self.eval = eval
    self.parameters = parameters
    self.peakMemoryBytes = peakMemoryBytes
    self.plannedMemoryBytes = plannedMemoryBytes
    self.ranks = ranks
    self.device = device
    self.precision = precision
    self.weightsSHA256 = weightsSHA256
    self.seed = seed
    self.restarts = restarts
    self.wastedSteps = wastedSteps
    self.sentBytesPerStep = sentBytesPerStep
    self.exchangeShare = exchangeShare
    self.energy = energy
    self.rankSeconds = rankSeconds
    (self.plannedResidentBytes, self.residentBytes) = (plannedResidentBytes, residentBytes)
  }

  private enum CodingKeys: String, CodingKey {
    case steps, epochs, samples, seconds, eval, parameters, ranks, device, precision, seed, restarts
    case samplesPerSecond = "samples_per_second"
    case trainLoss = "train_loss"
    case joules
    case peakMemoryBytes = "peak_memory_bytes"
    case plannedMemoryBytes = "planned_memory_bytes"
    case weightsSHA256 = "weights_sha256"
    case wastedSteps = "wasted_steps"
    case sentBytesPerStep = "sent_bytes_per_step"
    case exchangeShare = "exchange_share"
    case rankSeconds = "rank_seconds"
    case offloadedBytes = "offloaded_bytes"
    case offloadWaitSeconds = "offload_wait_seconds"
    case balanceLoss = "balance_loss"
    case droppedShare = "dropped_share"
    case bubble
    case bubbleFormula = "bubble_formula"
    case plannedResidentBytes = "planned_resident_bytes"
    case residentBytes = "resident_bytes"
  }

  /// Reads what `encode` writes; `null` stands for not-a-number.
  public init(from decoder: any Decoder) throws {
    let keys = try decoder.container(keyedBy: CodingKeys.self)
    func number(_ key: CodingKeys) throws -> Double { try keys.decode(Double?.self, forKey: key) ?? .nan }
    self.init(
      steps: try keys.decode(Int.self, forKey: .steps), epochs: try number(.epochs),
      samples: try keys.decode(Int.self, forKey: .samples), seconds: try number(.seconds),
      samplesPerSecond: try number(.samplesPerSecond), trainLoss: try number(.trainLoss),
      eval: try keys.decode([String: Double?].self, forKey: .eval).mapValues { $0 ?? .nan },
      parameters: try keys.decode(Int.self, forKey: .parameters),
      peakMemoryBytes: try keys.decode(Int.self, forKey: .peakMemoryBytes),
      plannedMemoryBytes: try keys.decode(Int.self, forKey: .plannedMemoryBytes),
      ranks: try keys.decode(Int.self, forKey: .ranks), device: try keys.decode(String.self, forKey: .device),
      precision: try keys.decode(String.self, forKey: .precision),
      weightsSHA256: try keys.decode(String.self, forKey: .weightsSHA256),
      seed: try keys.decode(Int.self, forKey: .seed),
      restarts: try keys.decodeIfPresent(Int.self, forKey: .restarts) ?? 0,
      wastedSteps: try keys.decodeIfPresent(Int.self, forKey: .wastedSteps) ?? 0,
      sentBytesPerStep: try keys.decodeIfPresent(Double.self, forKey: .sentBytesPerStep) ?? 0,
      exchangeShare: try keys.decodeIfPresent(Double.self, forKey: .exchangeShare) ?? 0,
      rankSeconds: try keys.decodeIfPresent([Double].self, forKey: .rankSeconds) ?? [],
      plannedResidentBytes: try keys.decodeIfPresent([Int].self, forKey: .plannedResidentBytes) ?? [],
      residentBytes: try keys.decodeIfPresent([Int].self, forKey: .residentBytes) ?? [],
      energy: keys.contains(.joules) ? try EnergyFigures(from: decoder) : nil,
      offloadedBytes: try keys.decodeIfPresent(Int.self, forKey: .offloadedBytes) ?? 0,
      offloadWaitSeconds: try keys.decodeIfPresent(Double.self, forKey: .offloadWaitSeconds) ?? 0)
    balanceLoss = try keys.decodeIfPresent(Double.self, forKey: .balanceLoss)
    droppedShare = try keys.decodeIfPresent(Double.self, forKey: .droppedShare)
    bubble = try keys.decodeIfPresent(Double.self, forKey: .bubble)
    bubbleFormula = try keys.decodeIfPresent(Double.self, forKey: .bubbleFormula)
  }

  /// Writes one object; numbers that are not finite become `null`, since JSON has no word for them.
  public func encode(to encoder: any Encoder) throws {
    var keys = encoder.container(keyedBy: CodingKeys.self)
    func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
    try keys.encode(steps, forKey: .steps)
    try keys.encode(finite(epochs), forKey: .epochs)
    try keys.encode(samples, forKey: .samples)
    try keys.encode(finite(seconds), forKey: .seconds)
    try keys.encode(finite(samplesPerSecond), forKey: .samplesPerSecond)
    try keys.encode(finite(trainLoss), forKey: .trainLoss)
    try keys.encode(eval.mapValues(finite), forKey: .eval)
    try keys.encode(parameters, forKey: .parameters)
    try keys.encode(peakMemoryBytes, forKey: .peakMemoryBytes)
    try keys.encode(plannedMemoryBytes, forKey: .plannedMemoryBytes)
    try keys.encode(ranks, forKey: .ranks)
    try keys.encode(device, forKey: .device)
    try keys.encode(precision, forKey: .precision)
    try keys.encode(weightsSHA256, forKey: .weightsSHA256)
    try keys.encode(seed, forKey: .seed)
    try keys.encode(restarts, forKey: .restarts)
    try keys.encode(wastedSteps, forKey: .wastedSteps)
    try keys.encode(sentBytesPerStep, forKey: .sentBytesPerStep)
    try keys.encode(exchangeShare, forKey: .exchangeShare)
    try energy?.encode(to: encoder)
    try keys.encode(rankSeconds, forKey: .rankSeconds)
    try keys.encode(plannedResidentBytes, forKey: .plannedResidentBytes)
    try keys.encode(residentBytes, forKey: .residentBytes)
    try keys.encode(offloadedBytes, forKey: .offloadedBytes)
    try keys.encode(offloadWaitSeconds, forKey: .offloadWaitSeconds)
    for (key, value) in layerFigures { try keys.encodeIfPresent(value.flatMap(finite), forKey: key) }
  }

  /// What only some networks and ways of spreading them have.
  private var layerFigures: KeyValuePairs<CodingKeys, Double?> {
    [
      .balanceLoss: balanceLoss, .droppedShare: droppedShare, .bubble: bubble, .bubbleFormula: bubbleFormula,
    ]
  }

  /// The same keys in the order in which people read them.
  package var plainValue: PlainValue {
    let figures: KeyValuePairs<String, PlainValue> = [
      "steps": .integer(steps), "epochs": .number(epochs), "samples": .integer(samples),
      "seconds": .number(seconds), "samples_per_second": .number(samplesPerSecond),
      "train_loss": .number(trainLoss),
      "eval": .map(eval.sorted { $0.key < $1.key }.map { PlainValue.Member($0.key, .number($0.value)) }),
      "parameters": .integer(parameters), "peak_memory_bytes": .integer(peakMemoryBytes),
      "planned_memory_bytes": .integer(plannedMemoryBytes), "offloaded_bytes": .integer(offloadedBytes),
      "offload_wait_seconds": .number(offloadWaitSeconds), "ranks": .integer(ranks), "device": .text(device),
      "precision": .text(precision), "weights_sha256": .text(weightsSHA256), "seed": .integer(seed),
      "restarts": .integer(restarts), "wasted_steps": .integer(wastedSteps),
      "sent_bytes_per_step": .number(sentBytesPerStep), "exchange_share": .number(exchangeShare),
      "rank_seconds": .list(rankSeconds.map { .number($0) }),
      "planned_resident_bytes": .list(plannedResidentBytes.map { .integer($0) }),
      "resident_bytes": .list(residentBytes.map { .integer($0) }),
    ]
    let more = layerFigures.compactMap { key, value in
      value.map { PlainValue.Member(key.rawValue, .number($0)) }
    }
    return .map(figures.map { PlainValue.Member($0.key, $0.value) } + more + (energy?.members ?? []))
  }

  /// The summary as one JSON object on one line, for `--json`.
  public var json: String { plainValue.json }
}
