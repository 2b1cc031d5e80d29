import Foundation
import Pando
import PandoEnergy
import PandoTraining
import Testing

private func set(_ microjoules: Int, in tree: URL) throws {
  let zone = tree.appending(path: "intel-rapl:0")
  try FileManager.default.createDirectory(at: zone, withIntermediateDirectories: true)
  try Data("package-0\n".utf8).write(to: zone.appending(path: "name"))
  try Data("\(microjoules)\n".utf8).write(to: zone.appending(path: "energy_uj"))
  try Data("262143328850\n".utf8).write(to: zone.appending(path: "max_energy_range_uj"))
}

/// Ranks of one host share its counters, which must count once.
@Test func ranksOfOneHostCountItsPackageOnce() throws {
  let folder = try TemporaryFolder()
  let tree = folder.url
  try set(1_000_000, in: tree)
  let sources = EnergySources(powercap: tree, nvidia: nil)
  let totals = try InProcessCommunicator.run(3) { communicator in
    let energy = try RunEnergy(Recipe.Energy(), ranks: Ranks(communicator), threads: 1, sources: sources)
    try communicator.barrier(label: "start")
    if communicator.rank == 0 { try set(6_000_000, in: tree) }
    try communicator.barrier(label: "end")
    try energy.agree()
    return energy.tally.total.joules
  }
  #expect(totals == [5, 5, 5])
  withExtendedLifetime(folder) {}
}

@Test func earlierSessionsCount() throws {
  let folder = try TemporaryFolder()
  try set(0, in: folder.url)
  let sources = EnergySources(powercap: folder.url, nvidia: nil)
  let first = try RunEnergy(Recipe.Energy(), ranks: .single, threads: 1, sources: sources)
  try set(2_000_000, in: folder.url)
  try first.agree()
  let second = try RunEnergy(Recipe.Energy(), ranks: .single, threads: 1, sources: sources)
  second.resume(first.tally.values)
  try set(5_000_000, in: folder.url)
  try second.agree()
  #expect(second.tally.total.joules == 5)
}

@Test func energyOfARecipe() throws {
  let france = try Recipe(yaml: small + "\nenergy: {country: fr, watts-per-core: 4.5}\n")
  #expect(france.energy.country == "fr" && france.energy.wattsPerCore == 4.5)
  #expect(try Recipe(yaml: france.yaml) == france)
  let wrong: [(String, String)] = [
    ("country: Frence", "did you mean 'France'?"), ("country: Atlantis", "energy.grams-per-kwh"),
    ("country: FR, grams-per-kwh: 10", "only one of"), ("watts-per-core: 0", "above 0"),
  ]
  for (text, message) in wrong {
    let error = #expect(throws: RecipeError.self) { try Recipe(yaml: small + "\nenergy: {\(text)}\n") }
    #expect(error?.description.contains(message) == true, "\(text): \(error?.description ?? "")")
  }
}

@Test func summaryTellsItsEnergy() throws {
  let figures = RunSummary.EnergyFigures(
    joules: 12_340, joulesError: 4936, method: .model, parts: ["model": 12_340], co2Grams: 1.645,
    co2GramsPerKilowattHour: 480, co2Source: "the world's mean 2023, Ember 2024")
  let text = "12.3 kJ ± 40 % (a model), 1.65 g CO₂ (480 g/kWh, the world's mean 2023, Ember 2024)"
  #expect(figures.text == text)
}

@Test func quantitiesHavePrefixes() {
  let texts = [1.5: "1.50 J", 0.0123: "12.3 mJ", 4.56e-5: "45.6 µJ", 7.89e6: "7.89 MJ", 0: "0 J", 3: "3 J"]
  for (value, text) in texts { #expect(Figures.quantity(value, "J") == text) }
}
