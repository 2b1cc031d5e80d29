/// A host that ranks may run on.
public struct Host: Hashable, Sendable {
  /// Its name or address.
  public let name: String
  /// How many ranks it takes; `nil` where that was not said.
  public let ranks: Int?

  /// A host.
  public init(_ name: String, ranks: Int? = nil) {
    self.name = name
    self.ranks = ranks
  }

  /// Reads `a,b:4`: names or addresses, each with the number of its ranks, unless they are to be spread evenly.
  ///
  /// - Throws: which part is wrong.
  public static func list(_ text: String) throws(LaunchError) -> [Host] {
    var hosts: [Host] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let pieces = part.split(separator: ":", omittingEmptySubsequences: false)
      let name = String(pieces.first ?? "")
      let isName =
        !name.isEmpty && !name.hasPrefix("-")
        && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-@".contains($0)) }
      guard isName, pieces.count <= 2 else {
        throw LaunchError("--hosts: '\(part)' is no host; write names with their ranks: a,b:4")
      }
      var ranks: Int?
      if pieces.count == 2 {
        guard let number = Int(pieces[1]), number > 0 else {
          throw LaunchError("--hosts: '\(part)': the number of ranks must be a whole number above 0")
        }
        ranks = number
      }
      if hosts.contains(where: { $0.name == name }) {
        throw LaunchError("--hosts: \(name) is named twice; write \(name):RANKS once")
      }
      hosts.append(Host(name, ranks: ranks))
    }
    return hosts
  }

  /// How many ranks each host gets: what it was given, the rest spread evenly over the others.
  ///
  /// - Throws: where the ranks do not fit.
  package static func spread(_ ranks: Int, over hosts: [Host]) throws(LaunchError) -> [Host] {
    let said = hosts.compactMap(\.ranks).reduce(0, +)
    let open = hosts.filter { $0.ranks == nil }.count
    let rest = ranks - said
    guard open > 0 ? rest >= open : rest == 0 else {
      throw LaunchError(
        "--ranks \(ranks) does not fit --hosts: "
          + (open > 0
            ? "\(said) are given to hosts and \(open) more hosts need at least one each"
            : "the hosts take \(said)"))
    }
    var index = 0
    return hosts.map { host in
      guard host.ranks == nil else { return host }
      defer { index += 1 }
      return Host(host.name, ranks: rest * (index + 1) / open - rest * index / open)
    }
  }
}
