/// What an exchange between ranks does: each has a line of its own in what it takes (see `LinkTimes` of the engine).
public enum ExchangeKind: String, CaseIterable, Hashable, Sendable, Codable, CodingKeyRepresentable {
  /// Every rank gets the reduction of all ranks' tensors.
  case allReduce = "all-reduce"
  /// Every rank gets its part of the reduction of all ranks' tensors.
  case reduceScatter = "reduce-scatter"
  /// Every rank gets all ranks' parts.
  case allGather = "all-gather"
  /// Every rank gets a part from each.
  case allToAll = "all-to-all"
  /// A rank gets what another has.
  case send

  /// Bytes that a rank sends at least.
  ///
  /// - Parameters:
  ///   - bytes: of the whole tensor: what goes into a reduction or an all-to-all, what comes out of a gathering.
  ///   - ranks: how many take part.
  public func sentBytes(_ bytes: Int, ranks: Int) -> Int {
    guard ranks > 1 else { return 0 }
    switch self {
    case .allReduce: return 2 * bytes * (ranks - 1) / ranks
    case .reduceScatter, .allGather, .allToAll: return bytes * (ranks - 1) / ranks
    case .send: return bytes
    }
  }
}
