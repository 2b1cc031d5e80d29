import Foundation
import Pando
import PandoData

/// Gathers what `report.html` shows.
struct RunReport {
  private let run: TrainingRun
  private let summary: RunSummary
  private let reason: StopReason
  private let folder: RunFolder

  init(_ run: TrainingRun, summary: RunSummary, reason: StopReason, folder: RunFolder) {
    self.run = run
    self.summary = summary
    self.reason = reason
    self.folder = folder
  }

  func data() throws -> ReportData {
    let metric = run.recipe.objective.metric ?? .loss
    var report = ReportData(
      name: run.recipe.name,
      subtitle: "\(run.recipe.model.kindName) on \(run.recipe.data.source), \(run.device.name) with "
        + "\(run.device.threads) threads",
      metric: metric, recipe: run.recipe.yaml)
    report.note = note
    report.figures = figures(metric)
    report.rows = try MetricsLog.read(folder.metrics)
    report.target = run.recipe.objective.target
    report.plan = plan
    if case .classification(let classes, let names) = run.task.kind, let result = run.lastEvaluation,
      !result.confusion.isEmpty
    {
      let labels = names ?? (0..<classes).map(String.init)
      report.confusion = ReportData.ConfusionMatrix(classes: labels, counts: result.confusion)
      report.mistakes = try mistakes(result, labels)
    }
    if case .language = run.task.kind {
      let text = try run.generator().generate(from: "", count: 400)
      report.samples = [ReportData.TextSample(prompt: "", text: text, settings: "temperature 0.8")]
    }
    return report
  }

  private var note: String? {
    switch reason {
    case .finished: nil
    case .target: "The objective's target was reached, so training ended before the last step."
    case .patience:
      "The metric had not improved for too many evaluations, so training ended before the last step."
    case .interrupted:
      "The run was stopped after step \(Figures.grouped(run.step)); --resume goes on from there."
    }
  }

  private func figures(_ metric: Recipe.Metric) -> [ReportData.Figure] {
    var figures: [ReportData.Figure] = []
    if let result = run.lastEvaluation {
      let best = run.best.map {
        "best \(Figures.metric(metric.rawValue, $0.value)) at step \(Figures.grouped($0.step))"
      }
      figures.append(
        ReportData.Figure(
          metric.rawValue, Figures.metric(metric.rawValue, result.value(metric)), detail: best))
    }
    figures.append(
      ReportData.Figure("training loss", Figures.number(summary.trainLoss), detail: "last step, nats"))
    figures.append(ReportData.Figure("parameters", Figures.grouped(summary.parameters)))
    figures.append(
      ReportData.Figure(
        "time", Figures.duration(summary.seconds),
        detail: "\(Figures.scaled(summary.samplesPerSecond)) samples/s"))
    figures.append(
      ReportData.Figure(
        "memory", Figures.bytes(summary.plannedMemoryBytes),
        detail: "planned; measured \(Figures.bytes(summary.peakMemoryBytes))"))
    if summary.offloadedBytes > 0 {
      figures.append(
        ReportData.Figure(
          "offloaded", Figures.bytes(summary.offloadedBytes),
          detail: "in files; waited \(Figures.duration(summary.offloadWaitSeconds)) for them"))
    }
    if let times = run.rankTimes {
      figures.append(
        ReportData.Figure(
          "slowest rank", times.means.max().map { "\(Figures.number($0 * 1000)) ms a step" } ?? "–",
          detail: times.text ?? "all ranks are as fast"))
    }
    if let loss = summary.balanceLoss {
      figures.append(
        ReportData.Figure(
          "balance of experts", Figures.number(loss),
          detail: "last step; 1 is even"
            + (summary.droppedShare.map { ", \(Figures.percent($0)) dropped" } ?? "")))
    }
    if let bubble = summary.bubble, let formula = summary.bubbleFormula {
      figures.append(
        ReportData.Figure(
          "pipeline's bubble", Figures.percent(bubble),
          detail: "of the work; by the schedule alone \(Figures.percent(formula))"))
    }
    if summary.restarts > 0 {
      figures.append(
        ReportData.Figure(
          "restarts", Figures.grouped(summary.restarts),
          detail: "\(Figures.grouped(summary.wastedSteps)) steps done again"))
    }
    if let energy = summary.energy {
      figures.append(
        ReportData.Figure(
          "energy", Figures.quantity(energy.joules, "J"),
          detail:
            "± \(energy.errorPercent) %, \(energy.method.text); \(Figures.quantity(energy.co2Grams, "g")) CO₂"
        ))
    }
    return figures
  }

  private var plan: ReportData.Plan {
    let plan = run.plan
    return ReportData.Plan(
      parts: plan.parts.filter { $0.bytes > 0 }.map { ReportData.Plan.Part($0.name, bytes: $0.bytes) },
      measuredBytes: plan.measuredBytes, limitBytes: run.recipe.train.memory,
      facts: [
        ReportData.Figure("operations a step", String(format: "%.4g GFLOP", Double(plan.flopsPerStep) / 1e9)),
        ReportData.Figure("samples a step", Figures.grouped(run.samplesPerStep)),
        ReportData.Figure("weights' SHA-256", summary.weightsSHA256.prefix(16) + "…"),
      ])
  }

  /// The first misclassified samples, where they are images of bytes.
  private func mistakes(_ result: EvaluationResult, _ labels: [String]) throws -> [ReportData.Mistake] {
    guard let type = run.task.held.field(run.task.inputField)?.type, type.dtype == .uint8 else { return [] }
    let (channels, height, width): (Int, Int, Int)
    switch type.rank {
    case 2: (channels, height, width) = (1, type.shape[0], type.shape[1])
    case 3: (channels, height, width) = (type.shape[0], type.shape[1], type.shape[2])
    default: return []
    }
    guard channels == 1 || channels == 3 else { return [] }
    return try result.mistakes.prefix(12).map { mistake in
      let planes = try run.task.held.sample(mistake.sample, field: run.task.inputField).values(as: UInt8.self)
      let size = height * width
      let pixels = (0..<size * channels).map { planes[($0 % channels) * size + $0 / channels] }
      return ReportData.Mistake(
        image: ReportData.Image(width: width, height: height, channels: channels, pixels: pixels),
        truth: labels[mistake.target], prediction: labels[mistake.prediction])
    }
  }
}

extension TrainingRun {
  /// Brings together what the first rank's report needs of a spread run: the weights, where it writes text. Collective.
  func gatherForReport() throws {
    guard state.parallelism != nil, case .language = task.kind else { return }
    wholeWeights = try state.gathered(state.weights)
  }
}
