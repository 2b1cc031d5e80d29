import Foundation

/// A zone of Linux' powercap tree that counts energy: a processor package, or the memory at one.
///
/// The tree is a folder with a folder for each zone, called `intel-rapl:0` or, for a part of it, `intel-rapl:0:2`. In
/// it are `name`, `energy_uj` (a counter in microjoules) and `max_energy_range_uj` (where that starts again at 0); see
/// the kernel's Documentation/power/powercap/powercap.rst. AMD's processors use the same names.
struct PowercapZone: Hashable, Sendable {
  /// The folder's name.
  let id: String
  /// `package-0`, `dram`
  let name: String
  let domain: EnergyDomain
  /// The file with the counter.
  let counter: URL
  /// Where the counter starts again; 0 where the system does not say.
  let range: UInt64

  /// The zones that together make up the processors and their memory, each counted once.
  ///
  /// - `core` and `uncore` are parts of their package, and `psys` holds the packages: none of them counts.
  /// - The same package may stand in the tree twice, once for each way to its registers (`intel-rapl` and
  ///   `intel-rapl-mmio`): the shorter name counts.
  static func zones(in tree: URL) -> [PowercapZone] {
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: tree.path)) ?? []).sorted {
      ($0.count, $0) < ($1.count, $1)
    }
    var packages: [String: PowercapZone] = [:]
    var parts: [PowercapZone] = []
    for id in names where id.contains(":") {
      guard let zone = PowercapZone(id, in: tree) else { continue }
      if zone.domain == .memory {
        parts.append(zone)
      } else if packages[zone.name] == nil {
        packages[zone.name] = zone
      }
    }
    let counted = Set(packages.values.map(\.id))
    // Memory stands below its package; below a package that does not count it is there a second time.
    let memory = parts.filter { $0.parent.map(counted.contains) ?? true }
    return (Array(packages.values) + memory).sorted { $0.id < $1.id }
  }

  private init?(_ id: String, in tree: URL) {
    let folder = tree.appending(path: id)
    guard let name = Self.text(folder.appending(path: "name")) else { return nil }
    if id.split(separator: ":").count == 2, name.hasPrefix("package") {
      domain = .package
    } else if name == "dram" {
      domain = .memory
    } else {
      return nil
    }
    self.id = id
    self.name = name
    counter = folder.appending(path: "energy_uj")
    range = Self.text(folder.appending(path: "max_energy_range_uj")).flatMap { UInt64($0) } ?? 0
  }

  /// The zone that this one is a part of; `nil` for one at the top.
  private var parent: String? {
    let parts = id.split(separator: ":")
    return parts.count > 2 ? parts.dropLast().joined(separator: ":") : nil
  }

  /// The counter now, in microjoules, or why it cannot be read.
  func read() -> Result<UInt64, CounterError> {
    let file = open(counter.path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return .failure(CounterError(counter.path, String(cString: strerror(errno)))) }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = Glibc.read(file, &bytes, bytes.count)
    guard count >= 0 else { return .failure(CounterError(counter.path, String(cString: strerror(errno)))) }
    let text = String(decoding: bytes.prefix(count), as: UTF8.self).trimmingCharacters(
      in: .whitespacesAndNewlines)
    guard let value = UInt64(text) else {
      return .failure(CounterError(counter.path, "expected a number of microjoules, got '\(text)'"))
    }
    return .success(value)
  }

  private static func text(_ url: URL) -> String? {
    (try? String(contentsOf: url, encoding: .utf8))?.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

/// A counter that cannot be read.
struct CounterError: Error, Hashable, CustomStringConvertible {
  /// Which file, and why.
  let description: String

  init(_ path: String, _ reason: String) { description = "\(path) cannot be read: \(reason)" }
}
