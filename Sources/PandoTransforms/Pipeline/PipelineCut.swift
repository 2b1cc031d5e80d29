import PandoIR
import PandoOperations

/// A network that cannot be cut as asked.
public struct PipelineError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was asked, why it does not go, and the mend.
  public let description: String
}

/// Where a network is cut into groups of neighbouring layers that take about equally long.
public struct PipelineCut: Hashable, Sendable {
  /// The layers in the order in which a batch goes through them.
  public let layers: [String]
  /// The layers of each part.
  public let parts: [Range<Int>]

  /// Cuts a forward pass: the dearest part is as cheap as can be, and of all ways to do so the one is taken that sends
  /// the fewest bytes.
  ///
  /// - Parameters:
  ///   - graph: its first output is where the batch leads.
  ///   - batch: the place of the batch among its inputs.
  ///   - count: how many parts.
  /// - Throws: `PipelineError` where there are fewer layers.
  public init(_ graph: Graph, batch: Int, parts count: Int) throws(PipelineError) {
    let chain = LayerChain(graph, batch: batch)
    let layers = chain.names
    guard count <= layers.count else {
      throw PipelineError(
        description:
          "the network has \(layers.count) layers to cut between (\(layers.joined(separator: ", "))), too few for "
          + "\(count) parts; use at most \(layers.count) stages · chunks, or a deeper network")
    }
    var cost = [Double](repeating: 0, count: layers.count)
    for (node, layer) in zip(graph.nodes, chain.layers) {
      guard let layer else { continue }
      let work = node.operation.cost(node.operands.map(\.type), node.results.map(\.type))
      cost[layer] += Double(work.flops) + Self.flopsPerByte * Double(work.bytes)
    }
    let sent = Self.crossing(graph, chain)
    self.layers = layers
    parts = Self.balanced(cost, sent, count)
  }

  /// What a processor computes while one byte comes from memory: the order of magnitude is what counts.
  private static let flopsPerByte = 8.0

  /// For each layer the bytes of values that were made before it and are read in it or later.
  private static func crossing(_ graph: Graph, _ chain: LayerChain) -> [Double] {
    var last = [Int](repeating: -1, count: graph.valueCount)
    for (node, layer) in zip(graph.nodes, chain.layers) {
      guard let layer else { continue }
      for operand in node.operands { last[operand.id] = max(last[operand.id], layer) }
    }
    var bytes = [Double](repeating: 0, count: chain.names.count)
    for node in graph.nodes {
      for result in node.results {
        guard let made = chain.layerOfValue[result.id], last[result.id] > made else { continue }
        for layer in (made + 1)...last[result.id] { bytes[layer] += Double(result.type.byteCount) }
      }
    }
    return bytes
  }

  private static func balanced(_ cost: [Double], _ sent: [Double], _ count: Int) -> [Range<Int>] {
    struct Way {
      var dearest = 0.0
      var sent = 0.0
      var parts: [Range<Int>] = []
    }
    // ways[j]: the first j layers in as many parts as there were rounds.
    var ways: [Way?] = [Way()] + cost.map { _ in nil }
    for _ in 0..<count {
      var next = [Way?](repeating: nil, count: ways.count)
      for end in 1...cost.count {
        for start in 0..<end {
          guard var way = ways[start] else { continue }
          way.dearest = max(way.dearest, cost[start..<end].reduce(0, +))
          way.sent += start > 0 ? sent[start] : 0
          way.parts.append(start..<end)
          if let best = next[end], (best.dearest, best.sent) <= (way.dearest, way.sent) { continue }
          next[end] = way
        }
      }
      ways = next
    }
    return ways[cost.count]!.parts
  }

  /// The part that a layer belongs to.
  func part(of layer: Int) -> Int { parts.firstIndex { $0.contains(layer) }! }
}

extension PipelineCut: CustomStringConvertible {
  /// `embedding … blocks.1 | blocks.2 … head`
  public var description: String {
    parts.map { part in
      part.count == 1
        ? layers[part.lowerBound] : "\(layers[part.lowerBound]) … \(layers[part.upperBound - 1])"
    }.joined(separator: " | ")
  }
}
