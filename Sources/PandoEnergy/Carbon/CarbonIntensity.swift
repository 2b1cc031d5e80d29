/// How much carbon dioxide electricity stands for.
public struct CarbonIntensity: Hashable, Sendable {
  /// Grams of CO₂ equivalent for each kilowatt-hour.
  public let gramsPerKilowattHour: Double
  /// Where that comes from: `France 2023, Ember 2024`, `as given`.
  public let source: String

  /// A figure that the user gives.
  public init(gramsPerKilowattHour: Double) {
    self.init(gramsPerKilowattHour, source: "as given")
  }

  private init(_ grams: Double, source: String) {
    gramsPerKilowattHour = grams
    self.source = source
  }

  /// The world's mean, for want of anything better.
  public static let world = CarbonIntensity(
    GridTable.world, source: "the world's mean \(GridTable.year), \(GridTable.source)")

  /// The figure of a country, by its code of two or three letters (ISO 3166-1) or its English name, in either case.
  ///
  /// - Returns: `nil` where the table lacks it.
  public init?(country: String) {
    let wanted = country.lowercased()
    guard
      let row = GridTable.rows.first(where: {
        [$0.code, $0.longCode, $0.name].contains { $0.lowercased() == wanted }
      })
    else { return nil }
    self.init(row.gramsPerKilowattHour, source: "\(row.name) \(GridTable.year), \(GridTable.source)")
  }

  /// Every name and code that `init(country:)` takes.
  public static let countries: [String] = GridTable.rows.flatMap { [$0.code, $0.longCode, $0.name] }

  /// The grams that energy stands for.
  public func grams(joules: Double) -> Double { joules / 3.6e6 * gramsPerKilowattHour }
}
