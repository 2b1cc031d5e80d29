import PandoEnergy

extension RunSummary {
  /// The energy of a run, from the start of its processes to their end, all sessions and all ranks together.
  public struct EnergyFigures: Hashable, Sendable, Codable {
    /// In joules, and its error, plus or minus.
    public var joules: Double, joulesError: Double
    /// Whether that was measured or is a model.
    public var method: EnergyMethod
    /// The joules by the name of their `EnergyDomain`.
    public var parts: [String: Double]
    /// Grams of CO₂ equivalent.
    public var co2Grams: Double
    /// The electricity's carbon intensity, and where it comes from.
    public var co2GramsPerKilowattHour: Double, co2Source: String

    /// All figures at once.
    public init(
      joules: Double, joulesError: Double, method: EnergyMethod, parts: [String: Double], co2Grams: Double,
      co2GramsPerKilowattHour: Double, co2Source: String
    ) {
      self.joules = joules
      self.joulesError = joulesError
      self.method = method
      self.parts = parts
      self.co2Grams = co2Grams
      self.co2GramsPerKilowattHour = co2GramsPerKilowattHour
      self.co2Source = co2Source
    }

    private enum CodingKeys: String, CodingKey {
      case joules
      case joulesError = "joules_error"
      case method = "energy_method"
      case parts = "joules_by_part"
      case co2Grams = "co2_grams"
      case co2GramsPerKilowattHour = "co2_grams_per_kwh"
      case co2Source = "co2_source"
    }

    /// The keys of `summary.json`.
    var members: [PlainValue.Member] {
      [
        .init("joules", .number(joules)), .init("joules_error", .number(joulesError)),
        .init("energy_method", .text(method.rawValue)),
        .init(
          "joules_by_part", .map(parts.sorted { $0.key < $1.key }.map { .init($0.key, .number($0.value)) })),
        .init("co2_grams", .number(co2Grams)),
        .init("co2_grams_per_kwh", .number(co2GramsPerKilowattHour)), .init("co2_source", .text(co2Source)),
      ]
    }

    /// One line: `12.3 kJ ± 40 % (a model), 1.64 g CO₂ (480 g/kWh, the world's mean 2023, Ember 2024)`.
    public var text: String {
      let carbon = Figures.quantity(co2Grams, "g")
      return
        "\(shortText), \(carbon) CO₂ (\(Figures.quantity(co2GramsPerKilowattHour, "g"))/kWh, \(co2Source))"
    }

    /// The error as a share of the joules, in whole percents.
    package var errorPercent: Int { joules > 0 ? Int((joulesError / joules * 100).rounded()) : 0 }

    /// `12.3 kJ ± 40 % (a model)`
    package var shortText: String {
      "\(Figures.quantity(joules, "J")) ± \(errorPercent) % (\(method.text))"
    }
  }
}
