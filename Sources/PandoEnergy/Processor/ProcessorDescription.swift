import Foundation

/// What the system says of its processor, in the words of `/proc/cpuinfo`.
struct ProcessorDescription: Hashable, Sendable {
  /// `GenuineIntel`, `AuthenticAMD`; absent on Arm.
  var vendor: String?
  var name = ""
  var family = 0
  var model = 0
  /// Arm's numbers of the maker and of the core.
  var implementer: Int?, part: Int?
  /// Hardware threads that the system shows.
  var processors = 0
  /// Hardware threads of one core, as far as the system shows them.
  var threadsPerCore = 1
  /// Whether the system runs in a virtual machine.
  var isVirtual = false

  /// Cores that the system shows.
  var cores: Int { max(1, processors / threadsPerCore) }

  /// Reads the text of `/proc/cpuinfo`: a block of lines `key : value` for each hardware thread. The first block tells
  /// of all.
  init(cpuinfo text: String) {
    var (siblings, cores) = (0, 0)
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      guard let key = parts.first else { continue }
      if key == "processor" { processors += 1 }
      guard processors <= 1, parts.count == 2 else { continue }
      let value = parts[1]
      switch key {
      case "vendor_id": vendor = value
      case "model name": name = value
      case "cpu family": family = Int(value) ?? 0
      case "model": model = Int(value) ?? 0
      case "siblings": siblings = Int(value) ?? 0
      case "cpu cores": cores = Int(value) ?? 0
      case "flags": isVirtual = value.split(separator: " ").contains("hypervisor")
      case "CPU implementer": implementer = Self.number(value)
      case "CPU part": part = Self.number(value)
      default: break
      }
    }
    if cores > 0, siblings > cores { threadsPerCore = siblings / cores }
  }

  private static func number(_ text: String) -> Int? {
    text.hasPrefix("0x") ? Int(text.dropFirst(2), radix: 16) : Int(text)
  }
}
