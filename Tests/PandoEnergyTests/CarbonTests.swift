import PandoEnergy
import Testing

@Test func countriesAreFoundByCodeAndName() throws {
  let france = try #require(CarbonIntensity(country: "FR"))
  #expect(france.gramsPerKilowattHour == 56)
  #expect(france.source == "France 2023, Ember 2024")
  for name in ["fr", "FRA", "france"] { #expect(CarbonIntensity(country: name) == france) }
  #expect(CarbonIntensity(country: "Atlantis") == nil)
  #expect(CarbonIntensity(country: "united kingdom")?.gramsPerKilowattHour == 238)
}

@Test func everyRowOfTheTableIsWhole() {
  let names = CarbonIntensity.countries
  #expect(names.count == 3 * 78 && Set(names).count == names.count)
  for name in names {
    let grams = CarbonIntensity(country: name)?.gramsPerKilowattHour ?? 0
    #expect((20...1000).contains(grams), "\(name)")
  }
}

@Test func aKilowattHourIsTheIntensity() {
  #expect(CarbonIntensity(gramsPerKilowattHour: 200).grams(joules: 3.6e6) == 200)
  #expect(CarbonIntensity.world.grams(joules: 1.8e6) == 240)
}

@Test func talliesAddUpAndSurviveExchange() throws {
  var tally = EnergyTally()
  tally.add(Energy(joules: 10, error: 1), to: .package)
  #expect(tally.method == .measured)
  var other = EnergyTally()
  other.add(Energy(joules: 5, error: 3), to: .model)
  #expect(other.method == .model)
  let sum = tally + other
  #expect(sum.total == Energy(joules: 15, error: 4) && sum.method == .mixed)
  #expect(EnergyTally(values: sum.values) == sum)
  #expect(EnergyTally(values: [1, 2]) == nil)
  #expect(EnergyTally(values: sum.values.map { -$0 - 1 }) == nil)
  #expect(EnergyTally().method == .model && EnergyTally().total == .zero)
}
