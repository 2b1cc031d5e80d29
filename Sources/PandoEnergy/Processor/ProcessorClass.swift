/// Processors of one kind, and the power that servers with them were seen to take.
///
/// The figures come from the results of SPECpower_ssj2008 (spec.org/power_ssj2008/results), 1,088 servers measured at
/// the wall by their makers, as collected up to March 2026. Watts are those of the whole server at full load divided by
/// its cores; the deviation is that between the results of the class, and the idle share is the power with nothing to do
/// over the power at full load.
struct ProcessorClass: Hashable, Sendable {
  let name: String
  /// Watts for each core at full load, mean over the class.
  let watts: Double
  /// Standard deviation of `watts`.
  let deviation: Double
  /// Power at rest over power at full load.
  let idleShare: Double
  /// How many results these figures come from.
  let results: Int

  /// AMD's server processors by generation.
  static let epyc1 = ProcessorClass("AMD EPYC, 1st generation", 5.1, 1.3, 0.32, 10)
  static let epyc2 = ProcessorClass("AMD EPYC, 2nd generation", 3.4, 0.3, 0.28, 36)
  static let epyc3 = ProcessorClass("AMD EPYC, 3rd generation", 3.9, 0.4, 0.23, 28)
  static let epyc4 = ProcessorClass("AMD EPYC, 4th generation", 3.8, 2.0, 0.23, 72)
  static let epyc5 = ProcessorClass("AMD EPYC, 5th generation", 2.8, 0.8, 0.18, 41)
  /// Intel's, from Haswell on.
  static let xeonHaswell = ProcessorClass("Intel Xeon E5/E7 v3", 7.8, 0.4, 0.17, 16)
  static let xeonBroadwell = ProcessorClass("Intel Xeon E5/E7 v4", 7.4, 2.8, 0.18, 17)
  static let xeonSkylake = ProcessorClass("Intel Xeon Scalable, 1st and 2nd generation", 8.1, 1.4, 0.16, 155)
  static let xeonIceLake = ProcessorClass("Intel Xeon Scalable, 3rd generation", 8.4, 1.2, 0.23, 51)
  static let xeonSapphireRapids = ProcessorClass("Intel Xeon Scalable, 4th generation", 8.1, 1.7, 0.26, 63)
  static let xeonEmeraldRapids = ProcessorClass("Intel Xeon Scalable, 5th generation", 7.4, 2.7, 0.25, 33)
  static let xeon6 = ProcessorClass("Intel Xeon 6", 4.3, 1.5, 0.25, 48)
  /// Ampere's and NVIDIA's.
  static let armServer = ProcessorClass("Arm server", 2.0, 0.9, 0.45, 8)
  /// Processors made for desktops and portables, in small servers since 2013.
  static let client = ProcessorClass("desktop or portable", 11.8, 4.9, 0.29, 47)
  /// Every result since 2017.
  static let unknown = ProcessorClass("processor of an unknown kind", 6.4, 3.0, 0.23, 609)

  private init(_ name: String, _ watts: Double, _ deviation: Double, _ idleShare: Double, _ results: Int) {
    self.name = name
    self.watts = watts
    self.deviation = deviation
    self.idleShare = idleShare
    self.results = results
  }

  /// The class of the processor that `/proc/cpuinfo` describes.
  init(_ processor: ProcessorDescription) {
    switch processor.vendor {
    case "AuthenticAMD": self = Self.amd(processor)
    case "GenuineIntel": self = Self.intel(processor)
    case nil: self = Self.arm(processor)
    default: self = .unknown
    }
  }

  private static func amd(_ processor: ProcessorDescription) -> ProcessorClass {
    // EPYC 4004 and later of that number are desktop processors by another name.
    guard processor.name.contains("EPYC"), !processor.name.contains("EPYC 4") else { return .client }
    switch (processor.family, processor.model) {
    case (0x17, 0x00...0x0F): return .epyc1
    case (0x17, _): return .epyc2
    case (0x19, 0x00...0x0F): return .epyc3
    case (0x19, _): return .epyc4
    case (0x1A, _): return .epyc5
    default: return .unknown
    }
  }

  private static func intel(_ processor: ProcessorDescription) -> ProcessorClass {
    guard processor.family == 6 else { return .unknown }
    return switch processor.model {
    case 0x3F: .xeonHaswell
    case 0x4F, 0x56: .xeonBroadwell
    case 0x55: .xeonSkylake
    case 0x6A, 0x6C: .xeonIceLake
    case 0x8F: .xeonSapphireRapids
    case 0xCF: .xeonEmeraldRapids
    case 0xAD, 0xAE, 0xAF: .xeon6
    default: .client
    }
  }

  private static func arm(_ processor: ProcessorDescription) -> ProcessorClass {
    // Arm's Neoverse N1, V1, N2, V2, N3 and V3; Ampere's own cores.
    let parts: Set = [0xD0C, 0xD40, 0xD49, 0xD4F, 0xD8E, 0xD84]
    switch processor.implementer {
    case 0x41 where processor.part.map(parts.contains) ?? false: return .armServer
    case 0xC0: return .armServer
    default: return .unknown
    }
  }
}
