/// Something that tells energy: a counter of the hardware, or a model.
package protocol EnergyReader: Sendable {
  /// The longest time between two reads that loses nothing, in seconds.
  var interval: Double { get }

  /// The energy since the last read, by domain; since it was made, at the first.
  ///
  /// - Parameter seconds: the time since the last read.
  mutating func read(after seconds: Double) -> EnergyTally
}
