/// Sizes as people write them: `8GiB`, `512 MB`, `1.5GiB`, `4096`.
package enum ByteSize {
  private static let units: [(name: String, bytes: Int)] = [
    ("tib", 1 << 40), ("gib", 1 << 30), ("mib", 1 << 20), ("kib", 1 << 10),
    ("tb", 1_000_000_000_000), ("gb", 1_000_000_000), ("mb", 1_000_000), ("kb", 1000), ("b", 1),
  ]

  /// Bytes that `text` means; `nil` where it is not a positive size or does not fit in 63 bits.
  package static func parse(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "_") }
    let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
    let scale: Int
    if unit.isEmpty {
      scale = 1
    } else if let known = units.first(where: { $0.name == unit }) {
      scale = known.bytes
    } else {
      return nil
    }
    if let whole = Int(digits) {
      let (bytes, overflow) = whole.multipliedReportingOverflow(by: scale)
      return overflow || bytes <= 0 ? nil : bytes
    }
    guard let value = Double(digits) else { return nil }
    let bytes = (value * Double(scale)).rounded()
    guard bytes >= 1, bytes < 9.2e18 else { return nil }
    return Int(bytes)
  }

  /// The shortest text that `parse` reads back as exactly `bytes`.
  package static func text(_ bytes: Int) -> String {
    for (name, size) in [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
    where bytes > 0 && bytes % size == 0 {
      return "\(bytes / size)\(name)"
    }
    return "\(bytes)"
  }
}
