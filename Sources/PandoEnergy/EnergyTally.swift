/// Where energy went, and how that is known.
public enum EnergyDomain: String, CaseIterable, Hashable, Sendable, Codable {
  /// Processors, by the counters of the system (RAPL).
  case package
  /// Memory, by the same counters.
  case memory
  /// NVIDIA's devices, by their own counters.
  case nvidia
  /// Processors by a model of them, where no counter can be read.
  case model
}

/// How a figure came about.
public enum EnergyMethod: String, Hashable, Sendable, Codable {
  /// Counters of the hardware.
  case measured
  /// A model of the processor.
  case model
  /// Some of it was measured, some is a model.
  case mixed

  /// For people: `measured`, `a model`, `part measured, part a model`.
  public var text: String {
    switch self {
    case .measured: "measured"
    case .model: "a model"
    case .mixed: "part measured, part a model"
    }
  }
}

/// Energy by domain.
public struct EnergyTally: Hashable, Sendable {
  /// What each domain took; those that took nothing are absent.
  public private(set) var parts: [EnergyDomain: Energy] = [:]

  /// Nothing yet.
  public init() {}

  /// Adds to a domain.
  public mutating func add(_ energy: Energy, to domain: EnergyDomain) {
    guard energy.joules > 0 else { return }
    parts[domain] = (parts[domain] ?? .zero) + energy
  }

  /// All domains together.
  public var total: Energy { parts.values.reduce(.zero, +) }

  /// How the figures came about.
  public var method: EnergyMethod {
    if parts[.model] == nil, !parts.isEmpty { return .measured }
    return parts.keys.contains { $0 != .model } ? .mixed : .model
  }

  /// Both together, domain by domain.
  public static func + (left: EnergyTally, right: EnergyTally) -> EnergyTally {
    var sum = left
    for (domain, energy) in right.parts { sum.add(energy, to: domain) }
    return sum
  }

  /// Two numbers for each domain, in the order of `EnergyDomain.allCases`: what ranks add up, and checkpoints keep.
  public var values: [Double] {
    EnergyDomain.allCases.flatMap { domain in
      let energy = parts[domain] ?? .zero
      return [energy.joules, energy.error]
    }
  }

  /// A tally from its `values`; `nil` where there are not as many, or one is below 0 or not finite.
  public init?(values: [Double]) {
    guard values.count == 2 * EnergyDomain.allCases.count, values.allSatisfy({ $0 >= 0 && $0.isFinite })
    else { return nil }
    for (index, domain) in EnergyDomain.allCases.enumerated() {
      add(Energy(joules: values[2 * index], error: values[2 * index + 1]), to: domain)
    }
  }
}
