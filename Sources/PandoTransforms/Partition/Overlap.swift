import PandoIR
import PandoOperations

/// Has exchanges go on beside the computations that do not need them: each is begun as soon as its operand is there, and
/// waited for before its result is first used.
///
/// The graph is in the order in which it runs, and stays so; this is the last pass. Two things keep memory down. What is
/// gathered is asked for no earlier than when the gathering before it is first used, so that one is on its way while
/// another is at work. And where an exchange reads its operand until the end, it is waited for when the second after it
/// begins.
public struct Overlap: Pass {
  public let name = "overlap"

  /// The pass; it has no options.
  public init() {}

  public func apply(_ graph: Graph) throws -> Graph {
    let spans = Self.spans(graph)
    guard !spans.isEmpty else { return graph }
    var begins: [Int: [Span]] = [:]
    var ends: [Int: [Span]] = [:]
    for span in spans {
      begins[span.begin, default: []].append(span)
      ends[span.end, default: []].append(span)
    }
    let isExchange = Set(spans.map(\.node))
    var rewriter = Rewriter(graph)
    var results: [Int: Value] = [:]
    for place in 0...graph.nodes.count {
      for span in ends[place] ?? [] where results[span.node] != nil {
        try Self.end(span, graph, &rewriter, results[span.node]!)
      }
      for span in begins[place] ?? [] {
        let node = graph.nodes[span.node]
        rewriter.builder.site = node.site
        results[span.node] = try rewriter.builder.emit(
          span.exchange, operands: node.operands.map { rewriter[$0] })[0]
        if span.end <= span.begin { try Self.end(span, graph, &rewriter, results[span.node]!) }
      }
      guard place < graph.nodes.count, !isExchange.contains(place) else { continue }
      try rewriter.copy(graph.nodes[place])
    }
    return rewriter.finish()
  }

  private static func end(_ span: Span, _ graph: Graph, _ rewriter: inout Rewriter, _ made: Value) throws {
    let node = graph.nodes[span.node]
    rewriter.builder.site = node.site
    let read = span.exchange.readsUntilEnd ? node.operands.map { rewriter[$0] } : []
    rewriter[node.results[0]] = try rewriter.builder.emit(
      CollectiveDone(channel: span.exchange.channel!), operands: [made] + read)[0]
  }

  /// Before which nodes an exchange is begun and ended.
  private struct Span {
    let node: Int
    let exchange: any ExchangeOperation
    var begin: Int
    var end: Int
  }

  private static func spans(_ graph: Graph) -> [Span] {
    let producers = graph.producers
    var spans: [Span] = []
    var number: [Int: Int] = [:]
    for (index, node) in graph.nodes.enumerated() {
      guard let exchange = node.operation as? any ExchangeOperation, exchange.parts > 1,
        let begun = exchange.on(channel: spans.count)
      else { continue }
      number[index] = spans.count
      spans.append(Span(node: index, exchange: begun, begin: index, end: graph.nodes.count))
    }
    // Before whom each exchange is first used; one that another exchange uses is used where that stands.
    for (index, node) in graph.nodes.enumerated() {
      for operand in node.operands {
        if let producer = producers[operand.id], let span = number[producer] {
          spans[span].end = min(spans[span].end, index)
        }
      }
    }
    var window = 0
    for place in spans.indices {
      let node = graph.nodes[spans[place].node]
      let sources = node.operands.compactMap { producers[$0.id] }
      let ready = (sources.max() ?? -1) + 1
      if spans[place].exchange.isReduction {
        if !sources.contains(where: { number[$0] != nil }) { spans[place].begin = ready }
        continue
      }
      if !sources.contains(where: { number[$0] != nil }) {
        spans[place].begin = min(spans[place].node, max(ready, window))
      }
      if spans[place].end < graph.nodes.count { window = max(window, spans[place].end) }
    }
    limit(&spans)
    return spans
  }

  /// Of exchanges that hold on to their operands two are under way at most.
  private static func limit(_ spans: inout [Span]) {
    let holding = spans.indices.filter { spans[$0].exchange.readsUntilEnd && spans[$0].exchange.isReduction }
      .sorted { (spans[$0].begin, $0) < (spans[$1].begin, $1) }
    for (place, span) in holding.enumerated() where place + 2 < holding.count {
      spans[span].end = min(spans[span].end, max(spans[span].begin, spans[holding[place + 2]].begin))
    }
  }
}
