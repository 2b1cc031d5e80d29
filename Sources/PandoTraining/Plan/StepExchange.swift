import Pando

/// Exchanges of a step that are alike: as many bytes, between the same ranks.
public struct StepExchange: Hashable, Sendable, Codable {
  /// What they do.
  public let kind: ExchangeKind
  /// The mesh axes along which the ranks differ that take part.
  public let axes: [String]
  /// How many ranks take part.
  public let ranks: Int
  /// Bytes of the whole tensor in each: what goes into a reduction, what comes out of a gathering.
  public let bytes: Int
  /// How many there are in a step; less than one where they wait for the end of a round of steps.
  public var count: Double

  /// Exchanges that are alike.
  init(_ kind: ExchangeKind, axes: [String], ranks: Int, bytes: Int, count: Double = 1) {
    (self.kind, self.axes, self.ranks, self.bytes, self.count) = (kind, axes, ranks, bytes, count)
  }

  /// Bytes that a rank sends in a step on their account.
  public var sentBytes: Double { Double(kind.sentBytes(bytes, ranks: ranks)) * count }
}

extension [StepExchange] {
  /// Those that are alike as one, those that send the most first.
  var merged: [StepExchange] {
    var counts: [StepExchange: Double] = [:]
    for exchange in self {
      var key = exchange
      key.count = 0
      counts[key, default: 0] += exchange.count
    }
    return counts.map { key, count in
      var exchange = key
      exchange.count = count
      return exchange
    }.sorted {
      ($1.sentBytes, $0.kind.rawValue, $0.axes.joined(), $0.bytes)
        < ($0.sentBytes, $1.kind.rawValue, $1.axes.joined(), $1.bytes)
    }
  }
}

extension Node {
  /// What it exchanges with other ranks; `nil` where it does not.
  var stepExchange: StepExchange? {
    guard let exchange = operation as? any ExchangeOperation, exchange.parts > 1 else { return nil }
    let bytes = (operands + results).reduce(0) { max($0, $1.type.byteCount) }
    return StepExchange(exchange.exchange, axes: exchange.axes, ranks: exchange.parts, bytes: bytes)
  }
}

extension StepProgram {
  /// All exchanges of a step, by this rank: those of its programs, and those between them.
  var allExchanges: [StepExchange] {
    let inside = phases.flatMap { phase in
      phase.program.compiledGraph.nodes.compactMap { node -> StepExchange? in
        var exchange = node.stepExchange
        exchange?.count = Double(phase.runs * phase.copies)
        return exchange
      }
    }
    return (inside + exchanges).merged
  }
}
