import Foundation

/// Numbers as people read them, in progress lines and reports alike.
package enum Figures {
  /// About four significant digits: `2.303`, `0.04213`, `12.3`, `3.1e-07`, `1234`.
  package static func number(_ value: Double) -> String {
    guard value.isFinite else { return value.isNaN ? "NaN" : value < 0 ? "-∞" : "∞" }
    let size = abs(value)
    if size == 0 { return "0" }
    if size >= 1e6 || size < 1e-3 { return String(format: "%.2g", value) }
    let decimals = min(6, max(0, 3 - Int(floor(log10(size)))))
    return String(format: "%.\(decimals)f", value)
  }

  /// Three significant digits with a prefix: `950`, `1.23k`, `45.6M`.
  package static func scaled(_ value: Double) -> String {
    guard value.isFinite else { return number(value) }
    var (rest, prefix) = (value, "")
    // 999.5 rounds to 1000, which is written with the next prefix.
    for next in ["k", "M", "G", "T", "P"] where abs(rest) >= 999.5 { (rest, prefix) = (rest / 1000, next) }
    let size = abs(rest)
    let isWhole = prefix.isEmpty && rest == rest.rounded()
    let decimals = isWhole ? 0 : size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2
    return String(format: "%.\(decimals)f", rest) + prefix
  }

  /// Three significant digits with a unit and its prefix: `12.3 kJ`, `1.64 g`, `820 mg`.
  package static func quantity(_ value: Double, _ unit: String) -> String {
    for (prefix, size) in [("", 1.0), ("m", 1e-3), ("µ", 1e-6)] where value >= 0.9995 * size {
      let text = scaled(value / size)
      guard let last = text.last, last.isLetter else { return "\(text) \(prefix)\(unit)" }
      return "\(text.dropLast()) \(last)\(unit)"
    }
    return "\(number(value)) \(unit)"
  }

  /// Bytes with a binary prefix: `512 B`, `1.42 GiB`.
  package static func bytes(_ count: Int) -> String {
    var (rest, prefix) = (Double(count), "B")
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] where rest >= 1023.5 {
      (rest, prefix) = (rest / 1024, next)
    }
    if prefix == "B" { return "\(count) B" }
    let decimals = rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2
    return String(format: "%.\(decimals)f", rest) + " " + prefix
  }

  /// Digits in groups of three: `1,234,567`.
  package static func grouped(_ count: Int) -> String {
    var result = ""
    let digits = String(count.magnitude)
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return (count < 0 ? "-" : "") + result
  }

  /// Time in its two largest units: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 07 min`, `3 d 04 h`.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "–" }
    if seconds < 9.95 { return String(format: "%.1f s", seconds) }
    let whole = Int(seconds.rounded())
    func pair(_ large: Int, _ name: String, _ small: Int, _ unit: String) -> String {
      "\(large) \(name) " + String(format: "%02d", small) + " \(unit)"
    }
    return switch whole {
    case ..<60: "\(whole) s"
    case ..<3600: pair(whole / 60, "min", whole % 60, "s")
    case ..<86_400: pair(whole / 3600, "h", whole % 3600 / 60, "min")
    default: pair(whole / 86_400, "d", whole % 86_400 / 3600, "h")
    }
  }

  /// A share as a percentage with two decimals: `92.51 %`.
  package static func percent(_ share: Double) -> String {
    share.isFinite ? String(format: "%.2f", share * 100) + " %" : number(share)
  }

  /// A metric's value: accuracies as percentages, everything else as a number.
  package static func metric(_ name: String, _ value: Double) -> String {
    name == Recipe.Metric.accuracy.rawValue ? percent(value) : number(value)
  }
}
