import PandoIR

/// Which values a step drops after their first use and computes again when its gradients want them.
struct RecomputeChoice {
  /// Values that gradients read and that are not kept, by their ids.
  var dropped: Set<Int> = []
  /// The nodes that are done again for them.
  var nodes: Set<Int> = []
}

extension StepAnatomy {
  /// The values that gradients read of what was computed on the way to the loss, with the segments' own order.
  var kept: [Value] {
    var found: [Value] = []
    for (index, node) in graph.nodes.enumerated() {
      guard let segment = segment(index), segment < segmentCount - 1, !isFree[index] else { continue }
      for result in node.results where isReadLate[result.id] && !isOutput[result.id] { found.append(result) }
    }
    return found
  }

  /// Whether a value goes from one group of segments to a later one.
  ///
  /// - Parameter groups: the group of each segment.
  func isBoundary(_ value: Value, _ groups: [Int]) -> Bool {
    guard producer[value.id] >= 0, let own = segment(producer[value.id]) else { return true }
    return lastReader[value.id] > own && groups[lastReader[value.id]] != groups[own]
  }

  /// Whether dropping a value is worth anything: what is a thousandth of the largest is kept, for it may need much work
  /// that nothing else needs. What only gradients want is always dropped, since it costs nothing to make it later.
  func isWorthDropping(_ value: Value, largest: Int) -> Bool {
    value.type.byteCount > largest / 1000 || !leadsToLoss[producer[value.id]]
  }

  /// The nodes that must be done again to have `values`, when `dropped` are not there and `groups`' boundaries are.
  ///
  /// - Parameter known: nodes that are done again anyway; they are not walked through.
  func nodesNeeded(
    for values: some Sequence<Value>, dropped: Set<Int>, groups: [Int], beside known: Set<Int> = []
  ) -> Set<Int> {
    var found: Set<Int> = []
    var seen: Set<Int> = []
    var stack = values.map { producer[$0.id] }
    while let node = stack.popLast() {
      guard node >= 0, !known.contains(node), seen.insert(node).inserted else { continue }
      if !isFree[node] { found.insert(node) }
      for operand in graph.nodes[node].operands {
        let source = producer[operand.id]
        guard source >= 0, segment(source) != nil else { continue }
        if !isFree[source] {
          let isThere = isReadLate[operand.id] && !dropped.contains(operand.id)
          if isThere || isOutput[operand.id] || isBoundary(operand, groups) { continue }
        }
        stack.append(source)
      }
    }
    return found
  }

  /// Keeps what goes from group to group and nothing else.
  func choice(groups: [Int]) -> RecomputeChoice {
    let kept = kept
    let largest = kept.map(\.type.byteCount).max() ?? 0
    let dropped = kept.filter { !isBoundary($0, groups) && isWorthDropping($0, largest: largest) }
    let ids = Set(dropped.map(\.id))
    return RecomputeChoice(
      dropped: ids, nodes: nodesNeeded(for: dropped, dropped: ids, groups: groups))
  }
}
