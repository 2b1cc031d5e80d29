import PandoIR

/// Puts every reduction over ranks right behind the node that makes its operand.
///
/// A gradient is then added up while the gradients before it are still being computed, and where a rank keeps only a
/// part of the sum, the whole need not be kept until the update.
struct HoistReductions: Pass {
  let name = "hoist-reductions"

  func apply(_ graph: Graph) throws -> Graph {
    let producers = graph.producers
    var behind: [Int: [Int]] = [:]
    var isMoved = [Bool](repeating: false, count: graph.nodes.count)
    for (index, node) in graph.nodes.enumerated() {
      guard let exchange = node.operation as? any ExchangeOperation, exchange.isReduction,
        let producer = node.operands.compactMap({ producers[$0.id] }).max(), producer < index - 1
      else { continue }
      behind[producer, default: []].append(index)
      isMoved[index] = true
    }
    guard !behind.isEmpty else { return graph }
    var order: [Int] = []
    func take(_ index: Int) {
      order.append(index)
      for next in behind[index] ?? [] { take(next) }
    }
    for index in graph.nodes.indices where !isMoved[index] { take(index) }
    return graph.reordered(order)
  }
}
