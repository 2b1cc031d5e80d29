/// Reads the energy of NVIDIA's devices: their own counters where they have one, else their power, sampled.
///
/// Power sensors of this maker are within 5 % (Yang, Adamek, Armour 2024, "Accurate and convenient energy measurements
/// for GPUs").
package struct NVIDIAReader: EnergyReader {
  private struct State {
    let device: NVIDIADevice
    /// The counter at the last read; `nil` for devices without.
    var millijoules: UInt64?
    /// The power at the last read.
    var milliwatts: UInt32?
  }
  private var states: [State]
  package let interval: Double

  /// Readings from here on; `nil` where no device tells anything.
  package init?(_ devices: [NVIDIADevice]) {
    states = devices.map { State(device: $0, millijoules: $0.millijoules(), milliwatts: $0.milliwatts()) }
      .filter { $0.millijoules != nil || $0.milliwatts != nil }
    guard !states.isEmpty else { return nil }
    // Power is a figure of a moment, so it is asked for often.
    interval = states.allSatisfy { $0.millijoules != nil } ? 10 : 0.2
  }

  /// How many devices are read.
  var count: Int { states.count }

  package mutating func read(after seconds: Double) -> EnergyTally {
    var tally = EnergyTally()
    for index in states.indices {
      if let last = states[index].millijoules {
        guard let now = states[index].device.millijoules() else { continue }
        states[index].millijoules = now
        // A driver that was loaded anew counts from 0.
        let counted = now >= last ? now - last : now
        tally.add(Energy(joules: Double(counted) / 1e3, relativeError: 0.05), to: .nvidia)
      } else {
        guard let now = states[index].device.milliwatts() else { continue }
        let watts = Double(now) / 2e3 + Double(states[index].milliwatts ?? now) / 2e3
        states[index].milliwatts = now
        tally.add(Energy(joules: watts * seconds, relativeError: 0.1), to: .nvidia)
      }
    }
    return tally
  }
}
