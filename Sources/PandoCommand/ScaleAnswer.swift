import Foundation
import PandoData
import PandoPlanning
import PandoTraining

/// What `pando scale` has found out: `scale.json`.
struct ScaleAnswer: Encodable {
  /// A figure with its 90 % interval.
  struct Bounded: Encodable {
    let value: Double, low: Double, high: Double

    init(_ value: Double, _ interval: ScalingEstimate.Interval, factor: Double = 1) {
      (self.value, low, high) = (value * factor, interval.low * factor, interval.high * factor)
    }
  }

  /// How the compute asked for is best split.
  struct Split: Encodable {
    let parameters: Bounded
    let tokens: Double
    let loss: Double
  }

  let name: String
  /// The size asked for: trained elements, tokens or samples seen, passes over the data, operations of all steps.
  let parameters: Int, tokens: Int, steps: Int
  let epochs: Double, operations: Double
  let rungs: [RungResult]
  /// Whether the observations determine a law, and why not.
  let identifiable: Bool
  let reason: String?
  /// The law's constants, and the root mean square of the relative differences from it.
  let law: [String: Bounded]?
  let relativeError: Double?
  /// The loss foretold, in nats, and in the objective's unit where that is a loss.
  let loss: Bounded?
  let metric: String?
  let metricValue: Bounded?
  /// By the planner: bytes, and seconds and joules corrected by how long the rungs took beside what was planned.
  let peakMemoryBytes: Int
  let seconds: Double, joules: Double, joulesError: Double, measuredOverPlanned: Double
  let bestSplit: Split?
  let bestSplitReason: String?

  /// What the report needs beside.
  let estimate: ScalingEstimate?
  let ladder: ScalingLadder

  enum CodingKeys: String, CodingKey {
    case name, parameters, tokens, steps, epochs, operations, rungs, identifiable, reason, law, loss, metric
    case seconds, joules
    case relativeError = "relative_error"
    case metricValue = "metric_value"
    case peakMemoryBytes = "peak_memory_bytes"
    case joulesError = "joules_error"
    case measuredOverPlanned = "measured_over_planned"
    case bestSplit = "best_split"
    case bestSplitReason = "best_split_reason"
  }

  /// Fits a law to what the rungs reached and asks it for the target.
  init(_ ladder: ScalingLadder, _ results: [RungResult], forecast: RunForecast) {
    let target = ladder.target
    self.ladder = ladder
    name = target.recipe.name
    (parameters, tokens, steps, epochs) = (target.parameters, target.tokens, target.steps, ladder.epochs)
    operations = Double(forecast.flopsPerStep) * Double(target.steps)
    rungs = results
    let planned = results.reduce(0) { $0 + $1.plannedSeconds }
    measuredOverPlanned = planned > 0 ? results.reduce(0) { $0 + $1.seconds } / planned : 1
    seconds = forecast.stepSeconds * Double(target.steps) * measuredOverPlanned
    joules = forecast.joulesPerStep * Double(target.steps) * measuredOverPlanned
    joulesError = forecast.joulesPerStepError * Double(target.steps) * measuredOverPlanned
    peakMemoryBytes = forecast.peakMemoryBytes

    let observations = results.map {
      ScalingObservation(parameters: Double($0.parameters), tokens: Double($0.tokens), loss: $0.loss)
    }
    let (size, data) = (Double(target.parameters), Double(target.tokens))
    metric = ScaleUnit(target.recipe).name
    do {
      let estimate = try ScalingEstimate(observations, seed: UInt64(target.recipe.seed))
      let figure = try estimate.loss(parameters: size, tokens: data)
      self.estimate = estimate
      (identifiable, reason, relativeError) = (true, nil, estimate.relativeError)
      loss = Bounded(figure.value, figure.interval)
      metricValue = ScaleUnit(target.recipe).factor.map { Bounded(figure.value, figure.interval, factor: $0) }
      var constants: [String: Bounded] = [:]
      for (name, path) in Self.constants {
        constants[name] = Bounded(estimate.law[keyPath: path], estimate.interval { $0[keyPath: path] })
      }
      law = constants
      do {
        let (split, range) = try estimate.bestSplit(
          budget: operations, perPair: operations / size / data)
        bestSplit = Split(
          parameters: Bounded(split.parameters, range), tokens: split.tokens, loss: split.loss)
        bestSplitReason = nil
      } catch { (bestSplit, bestSplitReason) = (nil, error.reason) }
    } catch {
      (estimate, identifiable, reason) = (nil, false, error.description)
      (law, relativeError, loss, metricValue) = (nil, nil, nil, nil)
      (bestSplit, bestSplitReason) = (nil, error.reason)
    }
  }

  /// The constants by the letters of the paper.
  static let constants: [(String, any KeyPath<ScalingLaw, Double> & Sendable)] = [
    ("E", \.irreducible), ("A", \.sizeFactor), ("alpha", \.sizeExponent), ("B", \.dataFactor),
    ("beta", \.dataExponent),
  ]

  /// Writes `scale.json` and `report.html`.
  func write(to folder: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try AtomicFile.write(try encoder.encode(self) + Data("\n".utf8), to: folder.appending(path: "scale.json"))
    try AtomicFile.write(Data(report.html().utf8), to: folder.appending(path: "report.html"))
  }
}

/// The unit of losses that a recipe's objective speaks of.
struct ScaleUnit {
  /// The metric's name, where it is a loss in other units; `nil` for nats.
  let name: String?
  /// What nats are multiplied by.
  let factor: Double?

  init(_ recipe: Recipe) {
    let isBits = recipe.objective.metric == .bitsPerCharacter
    (name, factor) = isBits ? (Recipe.Metric.bitsPerCharacter.rawValue, 1 / log(2)) : (nil, nil)
  }

  /// What an axis says.
  var axisTitle: String { name == nil ? "held-out loss (nats)" : "held-out bits per character" }
}
