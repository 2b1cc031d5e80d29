import Foundation
import Pando
import PandoEnergy

/// The energy of a run: on all its ranks, and in all its sessions.
///
/// All ranks make one, and agree at the same moments.
package final class RunEnergy: TrainingObserver {
  private let meter: EnergyMeter
  private let ranks: Ranks
  /// What earlier sessions took.
  private var before = EnergyTally()
  /// What all ranks had taken when they last told each other, earlier sessions included.
  package private(set) var tally = EnergyTally()
  /// How much CO₂ the electricity stands for.
  let intensity: CarbonIntensity

  /// Begins to count.
  ///
  /// - Parameters:
  ///   - threads: threads of this process.
  ///   - sources: where counters are looked for.
  package init(
    _ recipe: Recipe.Energy, ranks: Ranks, threads: Int, sources: EnergySources = EnergySources()
  ) throws {
    self.ranks = ranks
    intensity = recipe.intensity
    meter = EnergyMeter(
      sources: sources, threads: threads, wattsPerCore: recipe.wattsPerCore,
      isFirstOnHost: try Self.isFirstOnHost(ranks))
  }

  /// Why counters that are there are not used.
  var problem: String? { meter.problem }

  /// Takes over what earlier sessions took.
  package func resume(_ values: [Double]) { before = EnergyTally(values: values) ?? EnergyTally() }

  /// Adds up what all ranks have taken; all of them call it.
  package func agree() throws {
    var values = meter.tally.values
    if let communicator = ranks.communicator {
      try values.withUnsafeMutableBytes { try communicator.allReduce($0, of: .float64, label: "energy") }
    }
    tally = before + (EnergyTally(values: values) ?? EnergyTally())
  }

  package func willSave(_ run: TrainingRun) throws { try agree() }

  /// What `summary.json` says.
  var figures: RunSummary.EnergyFigures {
    let total = tally.total
    return RunSummary.EnergyFigures(
      joules: total.joules, joulesError: total.error, method: tally.method,
      parts: Dictionary(uniqueKeysWithValues: tally.parts.map { ($0.key.rawValue, $0.value.joules) }),
      co2Grams: intensity.grams(joules: total.joules),
      co2GramsPerKilowattHour: intensity.gramsPerKilowattHour,
      co2Source: intensity.source)
  }

  /// Whether this rank is the lowest of those on its machine, whose counters tell of all of them.
  private static func isFirstOnHost(_ ranks: Ranks) throws -> Bool {
    guard let communicator = ranks.communicator else { return true }
    // Containers have names and process numbers of their own, but the machine below them was started once.
    let text = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
    var own = Array(text.trimmingCharacters(in: .whitespacesAndNewlines).utf8.prefix(36))
    own += Array(repeating: 0, count: 36 - own.count)
    var all = Array(repeating: UInt8(0), count: 36 * ranks.count)
    try own.withUnsafeBytes { own in
      try all.withUnsafeMutableBytes {
        try communicator.allGather(own, into: $0, label: "hosts of the ranks")
      }
    }
    let first = (0..<ranks.count).first { Array(all[36 * $0..<36 * ($0 + 1)]) == own }
    return first == ranks.rank
  }
}

extension Recipe.Energy {
  /// The carbon intensity that the recipe means; the world's mean where it says nothing.
  var intensity: CarbonIntensity {
    gramsPerKilowattHour.map { CarbonIntensity(gramsPerKilowattHour: $0) }
      ?? country.flatMap { CarbonIntensity(country: $0) } ?? .world
  }
}
