import Pando

/// How parameters of one kind are spread: those of all layers whose names differ in a number only.
public struct ParameterSpread: Sendable, Encodable {
  /// The name, with a star for the number: `blocks.*.mlp.up.weight`.
  public let name: String
  /// How many there are.
  public let count: Int
  /// What each dimension is called, as the model says; `_` for those without a name.
  public let dimensions: [String]
  /// The mesh axes along which each dimension of the parameter is cut: `[tensor*fsdp,_]`.
  public let sharding: String
  /// The same of the optimizer's tensors for it.
  public let optimizerSharding: String
  /// Bytes of one whole parameter, and of the part that a rank has.
  public let bytes: Int, bytesOfRank: Int
}

extension RanksPlan {
  /// How each kind of parameter is spread, in the model's order.
  public var parameterSpread: [ParameterSpread] {
    var rows: [(name: String, entries: [(place: Int, slot: String)])] = []
    let state = first.state
    for (place, entry) in state.weights.enumerated() {
      let name = entry.name.split(separator: ".").map { Int($0) == nil ? $0 : "*" }.joined(separator: ".")
      let slot = state.trainable.firstIndex(of: place).flatMap { state.slots[$0].first?.sharding.description }
      let shape = entry.sharding.description
      if let row = rows.firstIndex(where: { row in
        let first = row.entries[0]
        return row.name == name && state.weights[first.place].sharding.description == shape
          && state.weights[first.place].type == entry.type
      }) {
        rows[row].entries.append((place, slot ?? "–"))
      } else {
        rows.append((name, [(place, slot ?? "–")]))
      }
    }
    return rows.map { row in
      let (place, slot) = row.entries[0]
      let entry = state.weights[place]
      let names = state.parameters[place].parameter.axes
      let local = state.parallelism.flatMap {
        try? entry.sharding.localType(of: entry.type, on: $0.group.mesh)
      }
      return ParameterSpread(
        name: row.name, count: row.entries.count,
        dimensions: (0..<entry.type.rank).map { names.indices.contains($0) ? names[$0] ?? "_" : "_" },
        sharding: entry.sharding.description, optimizerSharding: slot, bytes: entry.type.byteCount,
        bytesOfRank: (local ?? entry.type).byteCount)
    }
  }

  /// Which names of dimensions go along which axes, and what is cut only to be kept.
  public var strategyText: String {
    guard let parallelism = first.state.parallelism else {
      return "samples over data, every rank keeps all of the state"
    }
    let order = parallelism.stage.map { "; \($0.order): \($0.cut)" } ?? ""
    return "\(parallelism.strategy)\(order)"
  }
}
