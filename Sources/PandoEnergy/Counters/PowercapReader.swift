import Foundation

/// Reads the energy of processors and memory from the system's counters (RAPL: running average power limit).
///
/// They count whatever the processors do, not this program's work alone. Their errors: package within 5 %, memory within
/// 20 % (Desrochers, Paradis, Weaver 2016, "A validation of DRAM RAPL power measurements"; Khan et al. 2018, "RAPL in
/// action").
struct PowercapReader: EnergyReader {
  /// A counter starts again after some minutes at full load: 2³² µJ last 17 s at 250 W in the worst case known, and
  /// usually 65 or 262 kJ.
  let interval = 10.0
  private var counters: [(zone: PowercapZone, last: UInt64)]

  /// Counters from here on.
  ///
  /// - Parameter tree: usually `/sys/class/powercap`.
  /// - Returns: `nil` where the system counts no energy.
  /// - Throws: `CounterError` where it does and a counter cannot be read, as for users other than root by default.
  init?(tree: URL) throws(CounterError) {
    let zones = PowercapZone.zones(in: tree)
    guard zones.contains(where: { $0.domain == .package }) else { return nil }
    counters = []
    for zone in zones { counters.append((zone, try zone.read().get())) }
  }

  /// `package-0, dram`
  var names: [String] { counters.map(\.zone.name) }

  mutating func read(after seconds: Double) -> EnergyTally {
    var tally = EnergyTally()
    for index in counters.indices {
      let zone = counters[index].zone
      // One that fails now tells of this time as well when it is read again.
      guard case .success(let now) = zone.read() else { continue }
      let joules = Double(Self.difference(from: counters[index].last, to: now, range: zone.range)) / 1e6
      counters[index].last = now
      tally.add(
        Energy(joules: joules, relativeError: zone.domain == .memory ? 0.2 : 0.05), to: zone.domain)
    }
    return tally
  }

  /// What a counter has counted that starts again at 0 once it has reached `range`.
  private static func difference(from last: UInt64, to now: UInt64, range: UInt64) -> UInt64 {
    if now >= last { return now - last }
    return range > last ? (range - last) + now : now
  }
}
