import PandoIR
import PandoOperations

extension PlanMemory {
  /// What of a program may lie in files.
  public struct Files: Hashable, Sendable {
    /// The places of inputs whose buffers do.
    public var inputs: Set<Int>
    /// Whether intermediate values may, and how many bytes one has at least.
    public var values: Bool, smallestValue: Int
    /// Stretches of files begin at multiples of this many bytes.
    public var alignment: Int

    /// Nothing unless said.
    public init(
      inputs: Set<Int> = [], values: Bool = false, smallestValue: Int = 1 << 16, alignment: Int = 1 << 16
    ) {
      (self.inputs, self.values) = (inputs, values)
      (self.smallestValue, self.alignment) = (smallestValue, alignment)
    }

    func aligned(_ bytes: Int) -> Int { (bytes + alignment - 1) / alignment * alignment }
  }

  /// The steps that touch a value's bytes, in order, and whether they write them.
  typealias Touches = [(step: Int, isWrite: Bool)]

  /// For each owner of bytes the steps that touch them. What only renames bytes does not.
  func touches() -> [Touches] {
    var touches = [Touches](repeating: [], count: graph.valueCount)
    func add(_ id: Int, _ step: Int, _ isWrite: Bool) {
      if touches[id].last?.step == step {
        touches[id][touches[id].count - 1].isWrite = touches[id].last!.isWrite || isWrite
      } else {
        touches[id].append((step, isWrite))
      }
    }
    for (index, node) in graph.nodes.enumerated() where !node.operation.traits.contains(.alias) {
      for operand in node.operands { add(owner[operand.id], index, false) }
      for result in node.results { add(owner[result.id], index, true) }
    }
    return touches
  }

  /// The values, by their ids, that go to a file: those that nothing touches while the arena is fullest, then those that
  /// nothing touches while what is left is fullest, and so on until all that is there then is in use.
  ///
  /// They are what the first half of a step keeps for the second, and gradients that wait for the update. What other ranks
  /// may read or write meanwhile stays in memory, and so does what is kept from run to run.
  func idleValues(_ intervals: [MemoryPlan.Interval], _ touches: [Touches], _ files: Files) -> [Int] {
    guard files.values else { return [] }
    var isShared = [Bool](repeating: false, count: graph.valueCount)
    for node in graph.nodes
    where node.operation.traits.contains(.collective) || node.operation is any ExchangeEnd {
      for value in node.operands + node.results { isShared[owner[value.id]] = true }
    }
    var candidates = intervals.filter { interval in
      guard let value = interval.value else { return false }
      return interval.byteCount >= files.smallestValue && interval.first >= preparedCount
        && interval.last < graph.nodes.count && !isShared[value]
    }
    var fill = [Int](repeating: 0, count: graph.nodes.count)
    for interval in intervals {
      for step in interval.first...max(interval.first, min(interval.last, graph.nodes.count - 1)) {
        fill[step] += interval.byteCount
      }
    }
    var chosen: [Int] = []
    while let most = fill.max(), let peak = fill.firstIndex(of: most) {
      func isIdle(_ interval: MemoryPlan.Interval) -> Bool {
        interval.first < peak && peak < interval.last
          && !touches[interval.value!].contains { $0.step == peak }
      }
      let idle = candidates.filter(isIdle)
      guard !idle.isEmpty else { break }
      for interval in idle {
        for step in interval.first...interval.last { fill[step] -= interval.byteCount }
        chosen.append(interval.value!)
      }
      candidates.removeAll(where: isIdle)
    }
    return chosen.sorted()
  }

  /// The plan of what comes from files and goes to them; `nil` where nothing is in any.
  ///
  /// - Parameters:
  ///   - offsets: where values lie in the program's own file.
  ///   - copies: what is copied at the end.
  func stream(
    _ files: Files, _ offsets: [(value: Int, offset: Int)], _ touches: [Touches],
    _ storage: [MemoryPlan.Storage?], _ copies: [MemoryPlan.Copy]
  ) -> StreamPlan? {
    guard !files.inputs.isEmpty || !offsets.isEmpty else { return nil }
    var items: [StreamPlan.Item] = []
    var uses: [StreamPlan.Use] = []
    for (value, offset) in offsets {
      for touch in touches[value] {
        uses.append(StreamPlan.Use(step: touch.step, item: items.count, isWrite: touch.isWrite))
      }
      let bytes = graphBytes(value)
      items.append(StreamPlan.Item(.value(offset: offset), byteCount: files.aligned(bytes)))
    }
    let donors = Dictionary(donations.map { ($0.value, $0.key) }, uniquingKeysWith: { first, _ in first })
    for place in files.inputs.sorted() {
      let home = MemoryPlan.Storage.argument(place)
      for id in storage.indices where owner[id] == id && storage[id] == home {
        for touch in touches[id] {
          uses.append(StreamPlan.Use(step: touch.step, item: items.count, isWrite: touch.isWrite))
        }
      }
      for copy in copies {
        guard donors[copy.output] == place || storage[copy.value] == home else { continue }
        uses.append(
          StreamPlan.Use(
            step: graph.nodes.count, item: items.count, isWrite: donors[copy.output] == place))
      }
      let bytes = graph.inputs[place].value.type.byteCount
      items.append(StreamPlan.Item(.input(place), byteCount: files.aligned(bytes)))
    }
    return StreamPlan(items, uses)
  }

  private func graphBytes(_ value: Int) -> Int { max(1, byteCounts[value]) }
}
