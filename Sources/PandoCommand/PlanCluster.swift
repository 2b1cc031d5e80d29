import Foundation
import PandoIR
import PandoPlanning

/// `pando plan --cluster`: a transformer by its sizes, on a cluster by its data sheet.
struct PlanCluster {
  private static let shapeKeys = ["layers", "width", "heads", "context", "vocabulary", "batch"]
  private static let strategyKeys = [
    "data", "tensor", "pipeline", "micro-batch", "chunks", "zero", "recompute", "overlap",
  ]

  let cluster: String
  let shape: String
  let strategy: String?
  let ranks: Int?
  let auto: Bool

  /// The forecast: of the strategy that was given or, for what it leaves open, of the best.
  func forecast() throws -> ClusterForecast {
    let description = try ClusterFile.load(cluster)
    let sizes = try Self.parse(shape, "--shape", Self.shapeKeys)
    if let missing = Self.shapeKeys.first(where: { sizes[$0] == nil }) {
      throw UsageError(
        "--shape: \(missing) is missing; expected \(Self.shapeKeys.joined(separator: "=…,"))=…")
    }
    for key in Self.shapeKeys where sizes[key]! < 1 || sizes[key]! > 10_000_000 {
      throw UsageError("--shape: \(key) must be from 1 to 10000000, got \(sizes[key]!)")
    }
    let gpt = GPTShape(
      layers: sizes["layers"]!, width: sizes["width"]!, heads: sizes["heads"]!, context: sizes["context"]!,
      vocabulary: sizes["vocabulary"]!)
    let given = try strategy.map { try Self.parse($0, "--strategy", Self.strategyKeys) } ?? [:]
    let product = ["data", "tensor", "pipeline"].reduce(1) { $0 &* max(1, given[$1] ?? 1) }
    let count = ranks ?? (auto ? description.processors : product)
    guard count > 0, count <= description.processors else {
      throw UsageError("--ranks: \(description.name) has \(description.processors) processors, got \(count)")
    }
    let overlap = ParallelStrategy.Overlap(rawValue: given["overlap"] ?? 0) ?? .nothing
    guard auto else {
      let plain = ParallelStrategy(
        data: given["data"] ?? max(1, count / product), tensor: given["tensor"] ?? 1,
        pipeline: given["pipeline"] ?? 1, microBatch: given["micro-batch"] ?? 1, chunks: given["chunks"] ?? 1,
        sharding: ParallelStrategy.Sharding(rawValue: given["zero"] ?? 0) ?? .none,
        recomputes: given["recompute"] ?? 1 != 0, overlap: overlap)
      guard plain.data > 0, plain.tensor > 0, plain.pipeline > 0, plain.ranks == count else {
        throw UsageError(
          "--strategy: data \(plain.data) · tensor \(plain.tensor) · pipeline \(plain.pipeline) are "
            + "\(plain.ranks) ranks, --ranks says \(count); make them the same, or leave data out and start a "
            + "multiple of \(product), such as --ranks \(max(1, count / product) * product)")
      }
      return try ClusterForecast(gpt, batch: sizes["batch"]!, plain, on: description)
    }
    return try StrategySearch.best(
      gpt, batch: sizes["batch"]!, ranks: count, on: description, overlap: overlap
    ) { candidate in
      let own = [
        "data": candidate.data, "tensor": candidate.tensor, "pipeline": candidate.pipeline,
        "micro-batch": candidate.microBatch, "chunks": candidate.chunks, "zero": candidate.sharding.rawValue,
        "recompute": candidate.recomputes ? 1 : 0, "overlap": candidate.overlap.rawValue,
      ]
      return given.allSatisfy { own[$0.key] == $0.value }
    }
  }

  /// Whole numbers by name, as in `layers=24,width=2304`.
  private static func parse(_ text: String, _ flag: String, _ names: [String]) throws -> [String: Int] {
    var found: [String: Int] = [:]
    for entry in text.split(separator: ",") {
      let parts = entry.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      guard let name = parts.first, names.contains(name) else {
        let near =
          parts.first.flatMap { nearestName(to: $0, among: names) }.map { "; did you mean '\($0)'?" } ?? ""
        throw UsageError("\(flag): there is no '\(entry)'\(near) There are: \(names.joined(separator: ", "))")
      }
      guard parts.count == 2, let value = Int(parts[1]) else {
        throw UsageError("\(flag): \(name) is a whole number, as in \(name)=8")
      }
      found[name] = value
    }
    if let zero = found["zero"], !(0...3).contains(zero) {
      throw UsageError("\(flag): zero is a stage from 0 to 3, got \(zero)")
    }
    if let overlap = found["overlap"], !(0...2).contains(overlap) {
      throw UsageError(
        "\(flag): overlap is 0 (no exchange hidden), 1 (of gradients) or 2 (of layers too), got \(overlap)")
    }
    return found
  }

  /// For people.
  static func show(_ forecast: ClusterForecast) {
    func row(_ name: String, _ text: String) {
      print("\(name.padding(toLength: 24, withPad: " ", startingAt: 0)) \(text)")
    }
    let strategy = forecast.strategy
    row(
      "strategy",
      "data \(strategy.data), tensor \(strategy.tensor), pipeline \(strategy.pipeline), micro-batch "
        + "\(strategy.microBatch), chunks \(strategy.chunks), ZeRO \(strategy.sharding.rawValue), "
        + (strategy.recomputes ? "layers computed again" : "nothing computed again") + ", "
        + ["no exchange hidden", "gradients' exchange hidden", "exchanges hidden"][strategy.overlap.rawValue])
    row("time a step", String(format: "%.3f s", forecast.stepSeconds))
    row("  pipeline", String(format: "%.3f s", forecast.pipelineSeconds))
    row("  gradients' exchange", String(format: "%.3f s", forecast.exchangeSeconds))
    row("  update", String(format: "%.3f s", forecast.updateSeconds))
    row("TFLOP/s a processor", String(format: "%.1f", forecast.flopsPerProcessor / 1e12))
    row(
      "memory a processor",
      String(format: "%.1f of %.1f GB", forecast.memoryBytes / 1e9, forecast.memoryLimitBytes / 1e9)
        + (forecast.fits ? "" : ": does not fit"))
    if forecast.pricePerStep > 0 { row("price a step", String(format: "%.4f", forecast.pricePerStep)) }
    if forecast.joulesPerStep > 0 { row("energy a step", String(format: "%.4g J", forecast.joulesPerStep)) }
  }
}
