import Foundation
import PandoIR
import Yams

/// Reads a cluster from YAML; every key has its place, and what is not known or makes no sense is refused.
public enum ClusterFile {
  private enum Rule { case positive, notNegative, share }

  /// The keys of each section, whether they may be left out, and what their figures must be.
  private static let sections: [(name: String, keys: [(name: String, standard: Double?, rule: Rule)])] = [
    (
      "processor",
      [
        ("peak-flops", nil, .positive), ("memory", nil, .positive), ("memory-bandwidth", nil, .positive),
        ("units", nil, .positive), ("product-efficiency", 1, .share), ("memory-efficiency", 1, .share),
        ("watts", 0, .notNegative), ("price-per-hour", 0, .notNegative),
      ]
    ),
    ("inside", [("bandwidth", nil, .positive), ("latency", nil, .notNegative), ("efficiency", 1, .share)]),
    ("between", [("bandwidth", nil, .positive), ("latency", nil, .notNegative), ("efficiency", 1, .share)]),
  ]
  private static let counts = ["processors", "processors-per-node"]

  /// The cluster in the file at `path`.
  ///
  /// - Throws: `ClusterError` that names the key and what is expected there.
  public static func load(_ path: String) throws -> ClusterDescription {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ClusterError(path, "cannot be read; --cluster wants a YAML file")
    }
    guard data.count <= 1 << 20, let text = String(data: data, encoding: .utf8) else {
      throw ClusterError(path, "is not a text of at most a mebibyte")
    }
    return try parse(text)
  }

  /// The cluster that a text describes.
  public static func parse(_ text: String) throws -> ClusterDescription {
    let root: Yams.Node?
    do { root = try Yams.compose(yaml: text) } catch { throw ClusterError("cluster", "is no YAML: \(error)") }
    let names = ["name"] + counts + sections.map(\.name)
    let top = try entries(root, "cluster", names)
    var figures: [String: [String: Double]] = [:]
    for (section, keys) in sections {
      let found = try entries(top[section], section, keys.map(\.name))
      figures[section] = [:]
      for key in keys {
        figures[section]![key.name] = try figure(
          found[key.name], "\(section).\(key.name)", key.standard, key.rule)
      }
    }
    var sizes: [Int] = []
    for name in counts { sizes.append(try whole(figure(top[name], name, nil, .positive), name)) }
    let processor = figures["processor"]!
    func link(_ name: String) -> ClusterDescription.Link {
      let link = figures[name]!
      return ClusterDescription.Link(
        bandwidth: link["bandwidth"]!, latency: link["latency"]!, efficiency: link["efficiency"]!)
    }
    return ClusterDescription(
      name: top["name"]?.string ?? "the cluster",
      processor: ClusterDescription.Processor(
        peakFlops: processor["peak-flops"]!, memory: processor["memory"]!,
        memoryBandwidth: processor["memory-bandwidth"]!,
        units: try whole(processor["units"]!, "processor.units"),
        productEfficiency: processor["product-efficiency"]!,
        memoryEfficiency: processor["memory-efficiency"]!, watts: processor["watts"]!,
        pricePerHour: processor["price-per-hour"]!),
      processorsPerNode: sizes[1], processors: sizes[0], inside: link("inside"), between: link("between"))
  }

  private static func entries(_ node: Yams.Node?, _ place: String, _ names: [String]) throws -> [String: Yams
    .Node]
  {
    guard let mapping = node?.mapping else {
      throw ClusterError(place, "expected the keys \(names.joined(separator: ", "))")
    }
    var found: [String: Yams.Node] = [:]
    for (key, value) in mapping {
      let name = key.string ?? ""
      guard names.contains(name) else {
        let near = nearestName(to: name, among: names).map { "; did you mean '\($0)'?" } ?? ""
        throw ClusterError(
          place, "there is no key '\(name)'\(near) There are: \(names.joined(separator: ", "))")
      }
      found[name] = value
    }
    return found
  }

  private static func figure(_ node: Yams.Node?, _ place: String, _ standard: Double?, _ rule: Rule) throws
    -> Double
  {
    guard let node else {
      guard let standard else { throw ClusterError(place, "is missing; expected a number") }
      return standard
    }
    guard let value = node.scalar.flatMap({ Double($0.string) }), value.isFinite, value < 1e18 else {
      throw ClusterError(place, "expected a number, got '\(node.scalar?.string ?? "a list or mapping")'")
    }
    switch rule {
    case .positive where value <= 0: throw ClusterError(place, "must be above 0, got \(value)")
    case .notNegative where value < 0: throw ClusterError(place, "must not be negative, got \(value)")
    case .share where value <= 0 || value > 1:
      throw ClusterError(place, "is a share above 0 and up to 1, got \(value)")
    default: return value
    }
  }

  private static func whole(_ value: Double, _ place: String) throws -> Int {
    guard value == value.rounded(), value < 1e9 else {
      throw ClusterError(place, "expected a whole number, got \(value)")
    }
    return Int(value)
  }
}
